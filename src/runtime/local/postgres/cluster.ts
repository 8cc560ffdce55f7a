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
 * The role that works with the built-in database and owns it. It is no superuser, who may read files of
 * the machine and start programs: what goes wrong with a query stays in the database.
 */
export const ROLE = 'consentry';
/** Makes the role and its database, and is not used for anything else. */
const SUPERUSER = 'postgres';

/**
 * A folder that holds a PostgreSQL data directory (`cluster`) and the passwords to it.
 *
 * They are random and asked for although the server listens on the loopback interface only: every user
 * of the machine can connect there, and the ledger holds people's addresses.
 */
export interface Cluster {
  readonly folder: string;
  readonly dataFolder: string;
  /** Of `ROLE`. */
  readonly password: string;
  readonly superuser: { readonly name: string; readonly password: string };
}

/**
 * Makes the data directory unless it is there. It is made under another name first, so that an
 * interrupted start leaves no half of it behind.
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
      `The database in ${dataFolder} was made by PostgreSQL ${version.trim()}, this is PostgreSQL ${binaries.major}. ` +
        `Dump it with the old version, or move ${folder} away to begin with an empty one.`,
    );
  }
  const password = await readIfThere(join(folder, 'password'));
  if (password === null) {
    throw new Error(
      `The password of the built-in database is gone (${join(folder, 'password')}). ` +
        `Put it back, or move ${folder} away to begin with an empty database.`,
    );
  }
  const ofSuperuser = await readIfThere(join(folder, SUPERUSER_PASSWORD));
  return {
    folder,
    dataFolder,
    password: password.trim(),
    // Data of before there were two has the one role that initdb made, which stays a superuser.
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
        // The same order of texts on every machine, whatever locales it has.
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
      `PostgreSQL could not make a database in ${folder}: ${stderr ?? String(error)}`,
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
