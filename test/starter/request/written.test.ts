import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { it } from 'node:test';
import type { z } from 'zod';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import type { requestSchema } from '../../../src/starter/migrations/request/schema.js';

/** The schema's own type knows no `readonly`. */
type Writable<T> = T extends readonly (infer Entry)[]
  ? Entry[]
  : T extends object
    ? { -readonly [Name in keyof T]: Writable<T[Name]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

// It only has to compile.
true satisfies Same<Writable<MigrationRequest>, z.input<typeof requestSchema>>;

/** The repository is the folder of package.json, from the sources as from the build. */
const root = ['../../../', '../../../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(`${folder}package.json`));

it('generated files are up to date: type, JSON Schema and tables of a request, and the API reference', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/write-request.mjs', '--check'],
    { cwd: root, encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  assert.equal(status, 0);
});
