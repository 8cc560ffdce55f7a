import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '#file-lock';
import type { Config } from '../../../src/runtime/config.js';
import type { UserFolders } from '../../../src/runtime/paths.js';
import { findExecutable, runExecutable } from '../../../src/runtime/local/executables.js';
import type { OnProgress } from '../../../src/runtime/progress.js';
import { withProgress } from '../../../src/runtime/progress.js';
import { writeWholeFile } from '../../../src/runtime/whole-file.js';

/** Temporal's own server with a clock that skips, from its Java SDK. For tests of long timers. */
const ARTIFACT = { group: 'io.temporal', name: 'temporal-test-server', version: '1.31.0' } as const;
const MAIN_CLASS = 'io.temporal.testserver.TestServer';
const FETCH_WITHIN_MS = 5 * 60_000;

export type TimeSkippingServer =
  | {
      /** A program for `createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`. */
      readonly path: string;
    }
  | {
      /** Why there is none on this machine; tests that need it skip and say this. */
      readonly missing: string;
    };

/**
 * Finds the time-skipping test server in the user's cache, or has Maven fetch it. The SDK would
 * download a build that exists for few platforms; the Java one runs wherever Java is.
 */
export async function findTimeSkippingServer(options: {
  readonly config: Pick<Config, 'searchPath'>;
  readonly folders: Pick<UserFolders, 'cache'>;
  readonly onProgress?: OnProgress;
}): Promise<TimeSkippingServer> {
  const { config, folders, onProgress = () => undefined } = options;
  if (process.platform === 'win32') return { missing: 'its wrapper needs a Unix shell' };
  const java = await findExecutable('java', config.searchPath);
  if (java === null) return { missing: 'there is no Java on the PATH' };

  const base = join(folders.cache, ARTIFACT.name);
  const folder = join(base, ARTIFACT.version);
  await mkdir(base, { recursive: true });
  return withFileLock(join(base, 'lock'), async () => {
    if (!(await exists(folder))) {
      const maven = await findExecutable('mvn', config.searchPath);
      if (maven === null) return { missing: 'there is no Maven on the PATH to fetch it with' };
      const failure = await withProgress(
        onProgress,
        `Fetching ${ARTIFACT.name} ${ARTIFACT.version} with Maven`,
        () => fetchJars(maven, base, folder),
      );
      if (failure !== null) return { missing: `Maven could not fetch it: ${failure}` };
    }
    return { path: await writeWrapper(java, folder) };
  });
}

async function fetchJars(maven: string, base: string, folder: string): Promise<string | null> {
  for (const entry of await readdir(base)) {
    if (entry.startsWith(UNFINISHED)) await rm(join(base, entry), { recursive: true, force: true });
  }
  const unfinished = await mkdtemp(join(base, UNFINISHED));
  try {
    await writeFile(join(unfinished, 'pom.xml'), pom());
    const { failure, output } = await runExecutable(
      maven,
      [
        '--batch-mode',
        '--quiet',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        '-DoutputDirectory=jars',
      ],
      { withinMs: FETCH_WITHIN_MS, cwd: unfinished },
    );
    if (failure !== null) return output.split('\n').find((line) => /ERROR/.test(line)) ?? failure;
    await rename(unfinished, folder);
    return null;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const UNFINISHED = 'unfinished-';

/** The artifact is no fat jar, hence a project whose one dependency it is. */
function pom(): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>consentry</groupId>
  <artifactId>time-skipping</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>${ARTIFACT.group}</groupId>
      <artifactId>${ARTIFACT.name}</artifactId>
      <version>${ARTIFACT.version}</version>
    </dependency>
  </dependencies>
</project>
`;
}

/** `exec`, so that the SDK's kill reaches Java and not only the shell. */
async function writeWrapper(java: string, folder: string): Promise<string> {
  const path = join(folder, ARTIFACT.name);
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const script = `#!/bin/sh\nexec ${quoted(java)} -cp ${quoted(join(folder, 'jars', '*'))} ${MAIN_CLASS} "$@"\n`;
  await writeWholeFile(path, script, 0o755);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
