import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, thisProcess } from '#file-lock';
import type { ProcessIdentity } from '#file-lock';
import { z } from 'zod';
import type { Config } from '../config.js';
import { ensurePrivateFolder, folderRefused } from '../paths.js';
import type { UserFolders } from '../paths.js';
import { externalTemporal } from './temporal/server.js';
import type { TemporalTarget } from './temporal/server.js';
import { writeWholeFile } from '../whole-file.js';

const addresses = z.object({
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  temporalNamespace: z.string(),
  uiUrl: z.string().nullable(),
  sandboxUrl: z.string().nullable(),
  account: z.string(),
});

const devState = addresses.extend({
  owner: z.object({ pid: z.number(), startedAt: z.string().nullable() }),
});

/** The addresses of the running dev stack. */
export type DevAddresses = Readonly<z.infer<typeof addresses>>;
export type DevState = DevAddresses & { readonly owner: ProcessIdentity };

/** Tells other processes of this user where the dev stack of this process is. */
export async function writeDevState(
  folders: Pick<UserFolders, 'state'>,
  where: DevAddresses,
): Promise<void> {
  await ensurePrivateFolder(folders.state);
  const state: DevState = { ...where, owner: thisProcess() };
  await writeWholeFile(statePath(folders), `${JSON.stringify(state, null, 2)}\n`);
}

/** The running dev stack; null if there is none or it was killed. */
export async function readDevState(folders: Pick<UserFolders, 'state'>): Promise<DevState | null> {
  let text: string;
  try {
    text = await readFile(statePath(folders), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw folderRefused(folders.state, error);
  }
  const parsed = devState.safeParse(jsonOrNull(text));
  // Another version may have written another format; this one cannot use its stack.
  return parsed.success && isRunning(parsed.data.owner) ? parsed.data : null;
}

/** Removes the entry of our own dev stack; keeps that of another process. */
export async function clearDevState(folders: Pick<UserFolders, 'state'>): Promise<void> {
  const state = await readDevState(folders);
  if (state?.owner.pid === process.pid) await rm(statePath(folders), { force: true });
}

/** The servers and the account that a verb works with. */
export interface Environment {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
  /** Address of the dev stack's Web UI; null without a dev stack. */
  readonly uiUrl: string | null;
  /** Address of the dev stack's simulated Klaviyo; null for Klaviyo itself. */
  readonly sandboxUrl: string | null;
  /** Klaviyo's id of the account: from the environment, else the dev stack's. */
  readonly account: string | null;
}

/** The address of the database or of the Temporal server is missing. */
export class NoEnvironmentError extends Error {
  override readonly name = 'NoEnvironmentError';
}

/**
 * The database and the Temporal server for a verb: from the environment, else from the running dev
 * stack.
 *
 * @throws NoEnvironmentError that says what to start or to set
 */
export async function resolveEnvironment(
  config: Config,
  folders: Pick<UserFolders, 'state'>,
): Promise<Environment> {
  const external = externalTemporal(config);
  const dev = await readDevState(folders);
  const databaseUrl = config.databaseUrl ?? dev?.databaseUrl;
  const temporal = external ?? targetOf(dev);
  if (databaseUrl !== undefined && temporal !== null) {
    return {
      databaseUrl,
      temporal,
      uiUrl: external === null ? (dev?.uiUrl ?? null) : null,
      sandboxUrl: external === null ? (dev?.sandboxUrl ?? null) : null,
      account: config.klaviyo.account ?? (external === null ? (dev?.account ?? null) : null),
    };
  }
  const missing = [
    ...(databaseUrl === undefined ? ['DATABASE_URL to the PostgreSQL database'] : []),
    ...(temporal === null ? ['TEMPORAL_ADDRESS to the Temporal server'] : []),
  ];
  throw new NoEnvironmentError(
    `There is no server to work with. Start a dev stack in another terminal with "npx consentry dev", or set ${missing.join(' and ')}.`,
  );
}

function targetOf(dev: DevState | null): TemporalTarget | null {
  if (dev === null) return null;
  return {
    connectionOptions: { address: dev.temporalAddress },
    namespace: dev.temporalNamespace,
  };
}

function statePath(folders: Pick<UserFolders, 'state'>): string {
  return join(folders.state, 'dev.json');
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
