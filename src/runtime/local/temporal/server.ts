import { Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config.js';
import { childEnvironment, ConfigError } from '../../config.js';
import { ensureFolder, type UserFolders } from '../../paths.js';
import { freePorts, LOOPBACK } from '../ports.js';
import { endOrphans } from '../process-records.js';
import type { OnProgress } from '../../progress.js';
import { SEARCH_ATTRIBUTE_TYPES } from '../../search-attributes.js';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { findTemporalCli } from './cli.js';

/** How to reach a Temporal server. Pass on both: the namespace is not in the options. */
export interface TemporalTarget {
  readonly connectionOptions: NativeConnectionOptions & ConnectionOptions;
  readonly namespace: string;
}

export interface TemporalServer extends TemporalTarget {
  readonly address: string;
  /** Address of the Web UI; null for a headless server and for one that is not ours. */
  readonly uiUrl: string | null;
  /** False if the environment or a profile named a server: then stopping does not touch it. */
  readonly builtIn: boolean;
  readonly pid: number | null;
  /** Lets this process end without `stop`; the dev server then ends with it. */
  unref(): void;
  stop(): Promise<void>;
}

export interface TemporalServerOptions {
  readonly config: Config;
  readonly folders: UserFolders;
  /** Without the Web UI; for tests. */
  readonly headless: boolean;
  /** SQLite file that keeps the workflows for the next start; null forgets them at the end. */
  readonly dbFile: string | null;
  readonly onProgress?: OnProgress;
}

const START_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;
const ATTEMPTS = 5;

/**
 * The server named by `TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE` or `temporal.toml`, with its TLS and
 * API key; null if there is none.
 */
export function externalTemporal(config: Pick<Config, 'temporal'>): TemporalTarget | null {
  const { connectionOptions, namespace } = readProfile(config);
  if (connectionOptions.address === undefined) return null;
  return {
    connectionOptions: connectionOptions,
    namespace: namespace ?? 'default',
  };
}

/** envconfig's own errors name neither the file nor a remedy; an empty file causes a `TypeError`. */
function readProfile({ temporal }: Pick<Config, 'temporal'>) {
  try {
    return loadClientConnectConfig({ overrideEnvVars: { ...temporal.variables } });
  } catch (error) {
    const file = temporal.variables['TEMPORAL_CONFIG_FILE'] ?? 'temporal.toml';
    const said = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `Temporal's configuration cannot be read (${said}): check the TEMPORAL_* variables and ` +
        `${file}, which must have a [profile.default] section or not exist.`,
    );
  }
}

/**
 * Provides a Temporal server: the configured one, else a dev server on free ports of the loopback
 * interface, with the search attributes registered.
 *
 * @throws Error if there is no Temporal CLI or its server does not start
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const external = externalTemporal(options.config);
  if (external !== null) {
    return {
      ...external,
      address: external.connectionOptions.address ?? '',
      uiUrl: null,
      builtIn: false,
      pid: null,
      unref: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  await endOrphans(options.folders.state);
  const cli = await findTemporalCli(options);
  if (options.dbFile !== null) await ensureFolder(dirname(options.dbFile));
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0, uiPort = 0] = await freePorts(2);
    const address = `${LOOPBACK}:${port}`;
    const server = await spawnServer(cli.path, port, uiPort, options);
    try {
      await waitUntilServing(server, address);
    } catch (error) {
      await server.stop();
      if (attempt < ATTEMPTS && /address already in use|bind:/i.test(server.output())) continue;
      throw error;
    }
    return {
      connectionOptions: { address },
      address,
      namespace: 'default',
      uiUrl: options.headless ? null : `http://${LOOPBACK}:${uiPort}`,
      builtIn: true,
      pid: server.pid,
      unref: () => server.unref(),
      stop: () => server.stop(),
    };
  }
}

/**
 * A commit appends to a log and syncs it once. SQLite's default, a rollback journal, syncs several
 * files for each of the 40 commits that a job takes. The next start reads the log after a kill.
 */
const inFile = (dbFile: string): string[] => [
  '--db-filename',
  dbFile,
  ...['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => ['--sqlite-pragma', pragma]),
];

function spawnServer(
  cli: string,
  port: number,
  uiPort: number,
  options: TemporalServerOptions,
): Promise<ServerProcess> {
  const attributes = Object.entries(SEARCH_ATTRIBUTE_TYPES).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  return startServerProcess({
    label: 'Temporal dev server',
    file: cli,
    args: [
      'server',
      'start-dev',
      '--ip',
      LOOPBACK,
      '--port',
      String(port),
      ...(options.headless ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...(options.dbFile === null ? [] : inFile(options.dbFile)),
      '--log-level',
      'warn',
      // The HTTP API has no authentication, so any web page could start and end workflows here.
      // Without an allowed host it is closed; neither the Web UI nor we use it.
      '--dynamic-config-value',
      'frontend.httpAllowedHosts=["consentry.invalid"]',
      ...attributes,
    ],
    env: childEnvironment(),
    cwd: tmpdir(),
    stopSignal: 'SIGTERM',
    stateFolder: options.folders.state,
  });
}

async function waitUntilServing(server: ServerProcess, address: string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  for (;;) {
    const failure = await probe(address);
    if (failure === null) return;
    if (!server.running || Date.now() > deadline) {
      const how = server.running ? `did not answer: ${failure}` : await server.ended;
      throw new Error(`The Temporal dev server ${how}.\n${server.output()}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** Why the server does not accept workflows yet; null if it does. */
async function probe(address: string): Promise<string | null> {
  let connection: Connection | null = null;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2s' });
    const service = 'temporal.api.workflowservice.v1.WorkflowService';
    await connection.healthService.check({ service });
    // The frontend answers before the namespace exists.
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await connection?.close();
  }
}
