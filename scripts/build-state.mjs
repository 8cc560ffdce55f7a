import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { ROOT } from './run-to-end.mjs';

/** The projects to compile, each with its own tsconfig.json, in the order of their dependencies. */
export const PROJECTS = [join(ROOT, 'packages', 'klaviyo-sandbox'), ROOT];
/** Folders of a project's sources, as in its tsconfig.json. */
export const SOURCES = ['src', 'test', 'bench', 'examples'];
export const DIST = join(ROOT, 'dist');

const STAMP = join(DIST, '.built');

/** Whether `dist` was built from the current sources; deleted files count too. */
export async function isBuilt() {
  return (await readText(STAMP)) === (await sourcesFingerprint());
}

/** Records which sources `dist` was built from; null while it is not complete. */
export async function markBuilt(fingerprint) {
  if (fingerprint === null) await rm(STAMP, { force: true });
  else await writeFile(STAMP, fingerprint);
}

/** A hash of paths, sizes and times: reading every file would take too long for this check. */
export async function sourcesFingerprint() {
  const lists = await Promise.all(PROJECTS.map(sourcesOf));
  const settings = PROJECTS.flatMap((project) =>
    ['tsconfig.json', 'package.json'].map((name) => join(project, name)),
  );
  const single = ['tsconfig.base.json', 'package-lock.json', 'scripts/build.mjs'];
  const files = [...lists.flat(), ...settings, ...single.map((name) => join(ROOT, name))];
  const lines = await Promise.all(
    files.map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return `${relative(ROOT, path)} ${size} ${mtimeMs}`;
    }),
  );
  return digest(lines.sort().join('\n'));
}

/** Every file of a project that is compiled or copied. */
export async function sourcesOf(project) {
  return (await Promise.all(SOURCES.map((name) => filesUnder(join(project, name))))).flat();
}

/** Every file under a folder; none if the folder does not exist. */
export async function filesUnder(folder) {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  const lists = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    }),
  );
  return lists.flat();
}

export function isTypeScript(path) {
  return extname(path) === '.ts';
}

export async function readText(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

export function digest(text) {
  return createHash('sha256').update(text).digest('hex');
}
