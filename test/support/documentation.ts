import { readFileSync } from 'node:fs';
import { parseMapping } from '../../src/importers/mapping/mapping-file.js';
import type { Mapping } from '../../src/importers/mapping/schema.js';

/** A file of docs/. The repository is the folder of package.json, from the sources as from the build. */
export function documentation(path: string): string {
  const roots = ['../../', '../../../'].map((up) => new URL(up, import.meta.url));
  for (const root of roots) {
    try {
      return readFileSync(new URL(`docs/${path}`, root), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error(`docs/${path} is not found`);
}

/** A mapping of docs/mappings, such as `beehiiv`. */
export function mappingOf(name: string): Mapping {
  const path = `mappings/${name}.yaml`;
  return parseMapping(documentation(path), `docs/${path}`);
}
