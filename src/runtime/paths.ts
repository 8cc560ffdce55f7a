import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { ConfigError, type Config } from './config.js';

/** The user's folders of Consentry: outside the repository, so that a clone stays clean. */
export interface UserFolders {
  /** Can be deleted at any time: programs that were fetched or built. */
  readonly cache: string;
  /** The dev stack's database and Temporal state. */
  readonly data: string;
  /** The user named the data folder, so no other stands in for it. */
  readonly dataIsNamed: boolean;
  /** What runs now: addresses of the dev stack, processes to end after a crash. */
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
 * Makes a folder, and its parents, that only the user can read.
 *
 * @throws ConfigError where that cannot be
 */
export async function ensurePrivateFolder(path: string): Promise<string> {
  await ensureFolder(path, 0o700);
  await chmod(path, 0o700);
  return path;
}

/**
 * Makes a folder of ours and its parents, where they are not there.
 *
 * @throws ConfigError where that cannot be
 */
export async function ensureFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  } catch (error) {
    throw folderRefused(path, error);
  }
}

/** A folder that cannot be used, such as a device; whatever is no error of the file system as it is. */
export function folderRefused(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'EEXIST' || code === 'ENOTDIR' ? 'it is no folder' : `it cannot be used (${code})`;
  return new ConfigError(
    `${path}: ${why}. Set CONSENTRY_STATE_DIR, CONSENTRY_DATA_DIR and CONSENTRY_CACHE_DIR to folders ` +
      'that this user may write to, or leave them out.',
    { cause: error },
  );
}
