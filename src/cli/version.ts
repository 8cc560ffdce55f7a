import { existsSync, readFileSync } from 'node:fs';

/** Version of this package, from its `package.json` above `src/` or `dist/src/`. */
export function packageVersion(): string {
  const path = ['../../package.json', '../../../package.json']
    .map((relative) => new URL(relative, import.meta.url))
    .find((url) => existsSync(url));
  if (path === undefined) throw new Error('package.json is missing: install Consentry again.');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
