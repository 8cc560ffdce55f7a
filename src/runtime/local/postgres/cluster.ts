import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../config.js';
import { ensureFolder } from '../../paths.js';
import type { PostgresBinaries } from './binaries.js';
import type { ServerAccount } from '../server-account.js';
import { readIfThere } from '../../whole-file.js';

const run = promisify(execFile);

/**
 * The role that uses and owns the built-in database. It is not a superuser, which may read files of
 * the machine and start programs: a faulty query can only affect the database.
 */
export const ROLE = 'consentry';
/** Only creates the role and its database. */
const SUPERUSER = 'postgres';

/**
 * A folder with a PostgreSQL data directory (`cluster`) and its passwords.
 *
 * The server listens only on the loopback interface, but every user of the machine can connect
 * there and the ledger has people's addresses. So it asks for passwords, which are random.
 */
export interface Cluster {
  readonly folder: string;
  readonly dataFolder: string;
  /** Of `ROLE`. */
  readonly password: string;
  readonly superuser: { readonly name: string; readonly password: string };
}

/**
 * Creates the data directory unless it exists. It is created under another name first, so that an
 * interrupted start leaves no incomplete one.
 */
export async function ensureCluster(
  folder: string,
  binaries: PostgresBinaries,
  account: ServerAccount | null,
  keep: boolean,
): Promise<Cluster> {
  await claim(folder, account);
  const dataFolder = join(folder, 'cluster');
  const version = await readIfThere(join(dataFolder, 'PG_VERSION'));
  if (version === null) await createCluster(folder, binaries, account, keep);
  else if (version.trim() !== binaries.major) {
    throw new Error(
      `The database in ${dataFolder} was created by PostgreSQL ${version.trim()}, but this is PostgreSQL ${binaries.major}. ` +
        `Dump it with the old version, or move ${folder} away to start with an empty one.`,
    );
  }
  const password = await readIfThere(join(folder, 'password'));
  if (password === null) {
    throw new Error(
      `The password of the built-in database is missing (${join(folder, 'password')}). ` +
        `Restore it, or move ${folder} away to start with an empty database.`,
    );
  }
  const ofSuperuser = await readIfThere(join(folder, SUPERUSER_PASSWORD));
  return {
    folder,
    dataFolder,
    password: password.trim(),
    // Older data has only the role that initdb created, which stays a superuser.
    superuser:
      ofSuperuser === null
        ? { name: ROLE, password: password.trim() }
        : { name: SUPERUSER, password: ofSuperuser.trim() },
  };
}

const SUPERUSER_PASSWORD = 'superuser-password';

async function claim(folder: string, account: ServerAccount | null): Promise<void> {
  await ensureFolder(folder);
  try {
    await give(folder, account);
    await chmod(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    throw new Error(
      `The built-in database in ${folder} belongs to another user. ` +
        'Start as that user, or choose another folder with CONSENTRY_DATA_DIR.',
      { cause: error },
    );
  }
}

async function createCluster(
  folder: string,
  binaries: PostgresBinaries,
  account: ServerAccount | null,
  keep: boolean,
): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('cluster')) await rm(join(folder, name), { recursive: true, force: true });
  }
  await makePassword(join(folder, 'password'), account);
  const passwordFile = join(folder, SUPERUSER_PASSWORD);
  await makePassword(passwordFile, account);
  const unfinished = join(folder, 'cluster.unfinished');
  try {
    await run(
      binaries.initdb,
      [
        `--pgdata=${unfinished}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The same sort order on every machine, whatever its locales.
        '--no-locale',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        ...(keep ? [] : ['--no-sync']),
      ],
      { cwd: folder, env: childEnvironment({ LC_ALL: 'C' }), ...ids(account) },
    );
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(
      `PostgreSQL could not create a database in ${folder}: ${stderr ?? String(error)}`,
      {
        cause: error,
      },
    );
  }
  await rename(unfinished, join(folder, 'cluster'));
}

async function makePassword(path: string, account: ServerAccount | null): Promise<void> {
  await writeFile(path, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  await give(path, account);
}

export function ids(account: ServerAccount | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

async function give(path: string, account: ServerAccount | null): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid);
}
