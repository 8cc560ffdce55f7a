import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isRunning, startedAt, thisProcess, withFileLock } from '#file-lock';
import type { ProcessIdentity } from '#file-lock';
import { childEnvironment, ConfigError } from '../../config.js';
import { ensureFolder, type UserFolders } from '../../paths.js';
import { freePorts, LOOPBACK } from '../ports.js';
import { findPostgres } from './binaries.js';
import type { PostgresBinaries } from './binaries.js';
import { ensureCluster, ids, ROLE } from './cluster.js';
import type { Cluster } from './cluster.js';
import { DatabaseHeldError, startWhenFree } from './recovery.js';
import { endOrphans, TEMPORARY_PREFIX } from '../process-records.js';
import { accountFor, closedFolders, firstReachable, serverAccount } from '../server-account.js';
import type { ServerAccount } from '../server-account.js';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { writeWholeFile } from '../../whole-file.js';

export interface Database {
  /** URL of an existing database; if `builtIn`, its role may create others. */
  readonly url: string;
  /** False if `DATABASE_URL` was given: then stopping does not touch it. */
  readonly builtIn: boolean;
  /** Process id of the built-in server. */
  readonly pid: number | null;
  /** Lets this process end without `stop`; the built-in server then ends with it. */
  unref(): void;
  stop(): Promise<void>;
}

export interface DatabaseOptions {
  /** `DATABASE_URL`, which is used unchanged; null starts the built-in PostgreSQL. */
  readonly databaseUrl: string | null;
  readonly folders: UserFolders;
  /** Whether the data is kept in the user's data folder for the next start, or deleted at the end. */
  readonly keep: boolean;
}

/** Folder of root's data, if the server's account cannot enter root's own data folder. */
const SHARED_DATA = '/var/lib/consentry';
const START_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;
/** How long to wait for a process that was just killed. */
const GONE_WITHIN_MS = 2_000;

/**
 * Provides a PostgreSQL database: the one at `DATABASE_URL`, else a built-in one on a free port of
 * the loopback interface.
 *
 * @throws Error when the data is in use by another process, or PostgreSQL does not start; it
 *   names the cause and the remedy
 */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, folders, keep } = options;
  if (databaseUrl !== null) {
    return {
      url: databaseUrl,
      builtIn: false,
      pid: null,
      unref: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  await endOrphans(folders.state);
  const chosen = await serverAccount();
  if (!keep) {
    return startTemporary(await findPostgres(chosen, folders.cache), chosen, folders);
  }
  const base = await keptDataFolder(folders, chosen);
  // The server's account has to be able to enter root's folders.
  await ensureFolder(base, chosen === null ? 0o700 : 0o711);
  const folder = join(base, 'postgresql');
  const account = await accountFor(folder, chosen);
  const binaries = await findPostgres(account, folders.cache);
  return withFileLock(`${folder}.lock`, async () => {
    await refuseIfInUse(`${folder}.owner`);
    const database = await startIn(folder, { binaries, account, folders, keep });
    const pid = database.pid ?? 0;
    const use: Use = { owner: thisProcess(), server: { pid, startedAt: startedAt(pid) } };
    await writeWholeFile(`${folder}.owner`, JSON.stringify(use));
    return {
      ...database,
      async stop() {
        await database.stop();
        await rm(`${folder}.owner`, { force: true });
      },
    };
  });
}

/**
 * The folder of the data. Only the default folder is replaced if the server's account cannot enter
 * it: a folder that the user names is meant to be separate from others.
 *
 * @throws ConfigError naming the closed folders and the remedy
 */
export async function keptDataFolder(
  { data, dataIsNamed }: Pick<UserFolders, 'data' | 'dataIsNamed'>,
  chosen: ServerAccount | null,
): Promise<string> {
  const account = await accountFor(join(data, 'postgresql'), chosen);
  const closed = await closedFolders(data, account);
  if (closed.length === 0) return data;
  if (!dataIsNamed) return SHARED_DATA;
  const quoted = closed.map((folder) => `'${folder}'`).join(' ');
  throw new ConfigError(
    `CONSENTRY_DATA_DIR is ${data}, but PostgreSQL, which runs as the user ${account?.name ?? 'postgres'} when root starts it, may not enter ${closed.join(' and ')}. ` +
      `Allow it with "chmod a+x ${quoted}", name another folder, or set DATABASE_URL to a PostgreSQL database.`,
  );
}

async function startTemporary(
  binaries: PostgresBinaries,
  account: ServerAccount | null,
  folders: UserFolders,
): Promise<Database> {
  const base = await firstReachable([tmpdir(), '/tmp', '/var/tmp'], account);
  const folder = await mkdtemp(join(base, `${TEMPORARY_PREFIX}postgresql-`));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  if (account !== null) await chown(folder, account.uid, account.gid);
  try {
    const database = await startIn(folder, { binaries, account, folders, keep: false });
    return {
      ...database,
      async stop() {
        await database.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Who uses a data folder. If its owner is dead, the server is ended; if there is no owner, we may
 * start.
 */
interface Use {
  readonly owner: ProcessIdentity;
  readonly server: ProcessIdentity;
}

async function refuseIfInUse(useFile: string): Promise<void> {
  let use: Use;
  try {
    use = JSON.parse(await readFile(useFile, 'utf8')) as Use;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const { owner, server } = use;
  for (const giveUpAt = Date.now() + GONE_WITHIN_MS; Date.now() < giveUpAt;) {
    if (!isRunning(owner) || !isRunning(server)) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new DatabaseHeldError(
    `The built-in database is in use by process ${owner.pid} (consentry dev). ` +
      'Stop that process, or give this one a database of its own with DATABASE_URL or CONSENTRY_DATA_DIR.',
  );
}

interface Start {
  readonly binaries: PostgresBinaries;
  readonly account: ServerAccount | null;
  readonly folders: UserFolders;
  readonly keep: boolean;
}

async function startIn(folder: string, start: Start): Promise<Database> {
  const cluster = await ensureCluster(folder, start.binaries, start.account, start.keep);
  return startWhenFree(cluster.dataFolder, async () => {
    const [port = 0] = await freePorts(1);
    const server = await spawnPostgres(cluster, port, start);
    const { superuser, password } = cluster;
    const address = (user: string, secret: string, database: string): string =>
      `postgres://${user}:${secret}@${LOOPBACK}:${port}/${database}`;
    const forSuperuser = address(superuser.name, superuser.password, 'postgres');
    try {
      await waitUntilReady(server, forSuperuser);
      await ensureDatabase(forSuperuser, password);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return {
      url: address(ROLE, password, ROLE),
      builtIn: true,
      pid: server.pid,
      unref: () => server.unref(),
      stop: () => server.stop(),
    };
  });
}

function spawnPostgres(cluster: Cluster, port: number, start: Start): Promise<ServerProcess> {
  const settings = [
    `listen_addresses=${LOOPBACK}`,
    'unix_socket_directories=',
    'max_connections=300',
    // Short queries only; compiling them costs more than it gains.
    'jit=off',
    // Data that is deleted at the end need not survive a power failure.
    ...(start.keep ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  return startServerProcess({
    label: 'PostgreSQL',
    file: start.binaries.postgres,
    args: [
      '-D',
      cluster.dataFolder,
      '-p',
      String(port),
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    env: childEnvironment({ LC_ALL: 'C' }),
    cwd: cluster.folder,
    account: ids(start.account),
    stopSignal: 'SIGINT',
    stateFolder: start.folders.state,
    temporaryFolder: start.keep ? undefined : cluster.folder,
  });
}

async function waitUntilReady(server: ServerProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  for (;;) {
    const failure = await tryConnect(url);
    if (failure === null) return;
    if (!server.running || Date.now() > deadline) {
      const how = server.running ? `did not answer: ${failure}` : await server.ended;
      throw new Error(`PostgreSQL ${how}.\n${server.output()}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function tryConnect(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    await client.end();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The role, with its password, and the database that it owns. */
async function ensureDatabase(url: string, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const role = await client.query('select from pg_roles where rolname = $1', [ROLE]);
    if (role.rowCount === 0) {
      await client.query(
        `create role ${ROLE} login createdb password ${client.escapeLiteral(password)}`,
      );
    }
    const found = await client.query('select from pg_database where datname = $1', [ROLE]);
    if (found.rowCount === 0) {
      await client.query(`create database ${ROLE} owner ${ROLE} template template0`);
    }
  } finally {
    await client.end();
  }
}
