import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { failureOf } from '../../src/cli/failure.js';
import { SOURCE_ERROR_CODES } from '../../src/connectors/source-error.js';
import {
  REFUSED_REQUESTS,
  RETRYABLE_FAILURES,
  SEGMENT_REFUSALS,
  STOPPING_FAILURES,
} from '../../src/contracts/failures.js';
import { toFailure } from '../../src/activities/temporal/failures.js';
import { SegmentKeyError, SegmentListError } from '../../src/ledger/index.js';

/** The repository is the folder of package.json, from the sources as from the build. */
const root = ['../../', '../../../']
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(`${folder}package.json`));

describe('docs/errors.md', () => {
  const page = readFileSync(`${root}docs/errors.md`, 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\|(.*)\|$/gm)].map(([, code = '', rest = '']) => ({
    code,
    cells: rest.split('|').map((cell) => cell.trim()),
  }));

  it('has each code that an error can have, once, and no other', () => {
    const codes = [
      ...SOURCE_ERROR_CODES,
      ...SEGMENT_REFUSALS,
      ...STOPPING_FAILURES,
      ...RETRYABLE_FAILURES,
      ...REFUSED_REQUESTS,
    ];
    assert.deepEqual(rows.map(({ code }) => code).sort(), [...codes].sort());
  });

  it('says of each what it means, and what to do unless it passes by itself', () => {
    const waits = new Set<string>(RETRYABLE_FAILURES);
    for (const { code, cells } of rows) {
      const least = waits.has(code) ? 1 : 2;
      assert.ok(cells.length >= least && cells.every((cell) => cell !== ''), code);
    }
  });

  it('is where the code leads that a message ends with', () => {
    const key = new SegmentKeyError('key_twice', 'member_id is there twice.');
    assert.equal(failureOf(key).message, 'member_id is there twice. [key_twice]');
    const failure = toFailure(new SegmentListError('vip', 'A', 'B'));
    assert.match(failure.message, / \[segment_list_changed\]$/);
    assert.equal('type' in failure && failure.type, 'SegmentRefused');
  });
});
