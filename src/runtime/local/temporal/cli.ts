import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '#file-lock';
import type { Config } from '../../config.js';
import { ensureFolder, type UserFolders } from '../../paths.js';
import { findExecutable, runExecutable } from '../executables.js';
import type { OnProgress } from '../../progress.js';
import { withProgress } from '../../progress.js';
import { downloadTemporalCli, TEMPORAL_CLI_VERSION } from './cli-download.js';

const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal';

export interface TemporalCli {
  readonly path: string;
  readonly source: 'TEMPORAL_CLI_PATH' | 'PATH' | 'cache' | 'download' | 'go install';
}

export interface TemporalCliOptions {
  readonly config: Pick<Config, 'temporal' | 'searchPath' | 'httpsProxy'>;
  readonly folders: Pick<UserFolders, 'cache'>;
  readonly onProgress?: OnProgress;
  /** Replaces the download; for tests. */
  readonly download?: typeof downloadTemporalCli;
}

const BUILD_WITHIN_MS = 30 * 60_000;

/**
 * Finds the Temporal CLI, which has the dev server, or gets it. In this order: `TEMPORAL_CLI_PATH`,
 * `temporal` on the PATH, the copy in the user's cache, the release's archive, `go install`. What
 * was downloaded or built is put into the cache as a whole or not at all, by one process at a time.
 *
 * @throws Error naming all four remedies, and why each attempt failed
 */
export async function findTemporalCli(options: TemporalCliOptions): Promise<TemporalCli> {
  const { config, folders, onProgress = () => undefined, download = downloadTemporalCli } = options;
  if (config.temporal.cliPath !== null) return givenCli(config.temporal.cliPath);

  const onPath = await findExecutable('temporal', config.searchPath);
  if (onPath !== null && (await failureOf(onPath)) === null)
    return { path: onPath, source: 'PATH' };

  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const cached = join(folders.cache, 'temporal-cli', TEMPORAL_CLI_VERSION, name);
  if (await exists(cached)) return { path: cached, source: 'cache' };

  const base = join(folders.cache, 'temporal-cli');
  await ensureFolder(base);
  return withFileLock(
    join(base, 'lock'),
    async () => {
      if (await exists(cached)) return { path: cached, source: 'cache' };
      return getCli({ base, cached, name, config, onProgress, download });
    },
    {
      onWait: (pid) =>
        onProgress({
          message: `Waiting for process ${String(pid)}, which is getting the Temporal CLI`,
          elapsedSeconds: 0,
        }),
    },
  );
}

async function givenCli(path: string): Promise<TemporalCli> {
  const failure = await failureOf(path);
  if (failure === null) return { path, source: 'TEMPORAL_CLI_PATH' };
  throw new Error(
    `TEMPORAL_CLI_PATH is ${path}, which does not run as the Temporal CLI: ${failure}. ` +
      'Correct it, or leave it out to let the CLI be found.',
  );
}

interface Getting {
  readonly base: string;
  readonly cached: string;
  readonly name: string;
  readonly config: TemporalCliOptions['config'];
  readonly onProgress: OnProgress;
  readonly download: typeof downloadTemporalCli;
}

async function getCli(getting: Getting): Promise<TemporalCli> {
  const { base, cached, name, config, onProgress, download } = getting;
  await removeUnfinished(base);
  const unfinished = await mkdtemp(join(base, UNFINISHED));
  const failures: string[] = [];
  const keep = async (built: string): Promise<void> => {
    await mkdir(join(base, TEMPORAL_CLI_VERSION), { recursive: true });
    await rename(built, cached);
  };
  try {
    const downloaded = await withProgress(
      onProgress,
      `Downloading the Temporal CLI ${TEMPORAL_CLI_VERSION}`,
      () => download(unfinished, config.httpsProxy),
    );
    if ('path' in downloaded) {
      await keep(downloaded.path);
      return { path: cached, source: 'download' };
    }
    failures.push(`the download failed: ${downloaded.failure}`);

    const go = await findExecutable('go', config.searchPath);
    if (go === null) {
      failures.push('there is no Go to build it with');
      throw noCli(failures);
    }
    const build = await withProgress(
      onProgress,
      `It cannot be downloaded here. Building it with Go, once (3 to 5 minutes on 2 cores)`,
      () =>
        runExecutable(go, ['install', `${GO_MODULE}@${TEMPORAL_CLI_VERSION}`], {
          withinMs: BUILD_WITHIN_MS,
          env: { GOBIN: unfinished },
        }),
    );
    if (build.failure !== null) {
      failures.push(`go install failed: ${build.failure}`);
      throw noCli(failures);
    }
    await keep(join(unfinished, name));
    return { path: cached, source: 'go install' };
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const UNFINISHED = 'unfinished-';

/** Removes what a killed process left; no other process uses it while we hold the lock. */
async function removeUnfinished(base: string): Promise<void> {
  for (const entry of await readdir(base)) {
    if (entry.startsWith(UNFINISHED)) await rm(join(base, entry), { recursive: true, force: true });
  }
}

function noCli(failures: readonly string[]): Error {
  return new Error(
    [
      `The Temporal CLI, which has the dev server, was not found and could not be installed: ${failures.join('; ')}.`,
      'Do one of these and start again:',
      '  1. install the Temporal CLI so that "temporal" is on the PATH (https://docs.temporal.io/cli), or set TEMPORAL_CLI_PATH to it',
      '  2. set TEMPORAL_ADDRESS to a running Temporal server',
      '  3. allow this machine to reach the internet, so that it can be downloaded',
      `  4. install Go, so that it can be built with "go install ${GO_MODULE}@${TEMPORAL_CLI_VERSION}"`,
    ].join('\n'),
  );
}

/** Why the program is not a Temporal CLI; null if it is one. */
async function failureOf(path: string): Promise<string | null> {
  const { failure, output } = await runExecutable(path, ['--version'], { withinMs: 20_000 });
  if (failure !== null) return failure;
  return /^temporal version/m.test(output) ? null : 'it does not call itself "temporal version"';
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
