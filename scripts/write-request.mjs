/**
 * Writes what is made from sources: from the schema of a request its TypeScript type, its JSON Schema
 * and the tables of the documentation; from the schema of consentry.yaml its JSON Schema and
 * docs/config.md; from doc comments the reference docs/api.md.
 *
 *   node --import tsx scripts/write-request.mjs [--check]
 *
 * --check writes nothing, and ends with 1 if a file differs from what it would write.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { apiFile } from './api/page.mjs';
import { requestFiles } from './request/files.mjs';
import { ROOT } from './run-to-end.mjs';

const isCheck = process.argv.includes('--check');
const stale = [];
for (const { path, contentOf } of [...requestFiles, apiFile]) {
  const file = join(ROOT, path);
  const there = await readFile(file, 'utf8').catch(() => '');
  const options = { ...(await resolveConfig(file)), filepath: file };
  const wanted = await format(contentOf(there), options);
  if (there === wanted) continue;
  stale.push(path);
  if (!isCheck) await writeFile(file, wanted);
}
if (isCheck && stale.length > 0) {
  console.error(`Outdated: ${stale.join(', ')}. Run: npm run generate`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? 'All files are up to date.' : `Written: ${stale.join(', ')}`);
}
