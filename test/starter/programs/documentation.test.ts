import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseFile } from '../../../src/starter/programs/file/parse.js';

/** The repository is the folder of package.json, from the sources as from the build. */
const root = ['../../../', '../../../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(`${folder}package.json`));

describe('the documentation of consentry.yaml', () => {
  for (const page of ['config.md', 'programs.md', 'segments.md']) {
    it(`has no file in ${page} that is not valid`, () => {
      const text = readFileSync(`${root}docs/${page}`, 'utf8');
      const files = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, file = '']) => file);
      assert.ok(files.length > 0, `${page} shows no file`);
      for (const file of files) parseFile(file, page);
    });
  }
});
