import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { folderRefused } from '../paths.js';

const run = promisify(execFile);

/** The account that PostgreSQL runs as when we are root, since it refuses to run as root. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * `postgres` if that user exists, else `nobody`, which every Unix has. We do not add users to a
 * machine. Null unless we are root.
 *
 * @throws Error naming the remedy if neither user exists
 */
export async function serverAccount(): Promise<ServerAccount | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([numericId('-u', name), numericId('-g', name)]);
    if (uid !== null && gid !== null && uid !== 0) return { name, uid, gid };
  }
  throw new Error(
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody". ' +
      'Run as a plain user, or set DATABASE_URL to a PostgreSQL database.',
  );
}

/**
 * The account for data that may exist already: its owner, if that differs from the account chosen
 * now. The choice changes when a PostgreSQL package adds its user, or when root starts on another
 * user's data.
 */
export async function accountFor(
  folder: string,
  chosen: ServerAccount | null,
): Promise<ServerAccount | null> {
  if (chosen === null) return null;
  const owner = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw folderRefused(folder, error);
  });
  if (owner === null || owner.uid === 0 || owner.uid === chosen.uid) return chosen;
  return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid };
}

async function numericId(flag: '-u' | '-g', name: string): Promise<number | null> {
  try {
    const { stdout } = await run('id', [flag, name]);
    return Number.parseInt(stdout, 10);
  } catch {
    // `id` fails for a user that does not exist.
    return null;
  }
}

/**
 * The folders on the way to `path`, including itself, that the account may not enter, outermost
 * first. Folders that do not exist yet do not count: they will be created with the right
 * permissions.
 */
export async function closedFolders(
  path: string,
  account: ServerAccount | null,
): Promise<string[]> {
  const closed: string[] = [];
  if (account === null) return closed;
  for (let folder = path; ; folder = dirname(folder)) {
    if (!(await mayStepInto(folder, account))) closed.unshift(folder);
    if (folder === dirname(folder)) return closed;
  }
}

export async function isReachable(path: string, account: ServerAccount | null): Promise<boolean> {
  return (await closedFolders(path, account)).length === 0;
}

async function mayStepInto(folder: string, account: ServerAccount): Promise<boolean> {
  try {
    const { mode, uid, gid } = await stat(folder);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    return ((mode >> shift) & 0o1) === 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** The first of the folders that the account can reach, else the last. */
export async function firstReachable(
  folders: readonly [string, ...string[]],
  account: ServerAccount | null,
): Promise<string> {
  for (const folder of folders) if (await isReachable(folder, account)) return folder;
  return folders.at(-1) ?? folders[0];
}
