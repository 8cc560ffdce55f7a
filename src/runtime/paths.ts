import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { ConfigError, type Config } from './config.js';

/** Consentry's folders of the user: outside the repository, so that a clone stays clean. */
export interface UserFolders {
  /** Downloaded or built programs; can be deleted at any time. */
  readonly cache: string;
  /** The dev stack's database and Temporal state. */
  readonly data: string;
  /** The user named the data folder, so it is never replaced by another. */
  readonly dataIsNamed: boolean;
  /** The current state: addresses of the dev stack, processes to end after a crash. */
  readonly state: string;
}

export function userFolders(config: Pick<Config, 'folders'>): UserFolders {
  const standard = envPaths('consentry', { suffix: '' });
  const { cache, data, state } = config.folders;
  return {
    cache: resolve(cache ?? standard.cache),
    data: resolve(data ?? standard.data),
    dataIsNamed: data !== null,
    // env-paths calls XDG_STATE_HOME `log`; macOS and Windows have no folder of that kind.
    state: resolve(
      state ?? (process.platform === 'linux' ? standard.log : join(standard.data, 'state')),
    ),
  };
}

/**
 * Creates a folder, and its parents, that only the user can read.
 *
 * @throws ConfigError if it cannot be created
 */
export async function ensurePrivateFolder(path: string): Promise<string> {
  await ensureFolder(path, 0o700);
  await chmod(path, 0o700);
  return path;
}

/**
 * Creates a folder and its parents if they do not exist.
 *
 * @throws ConfigError if it cannot be created
 */
export async function ensureFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    throw folderRefused(path, error);
  }
}

/**
 * The error for a folder that cannot be used, such as a device; an error that is not from the file
 * system is returned unchanged.
 */
export function folderRefused(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'EEXIST' || code === 'ENOTDIR' ? 'it is not a folder' : `it cannot be used (${code})`;
  return new ConfigError(
    `${path}: ${why}. Set CONSENTRY_STATE_DIR, CONSENTRY_DATA_DIR and CONSENTRY_CACHE_DIR to folders ` +
      'that this user may write to, or leave them out.',
    { cause: error },
  );
}
