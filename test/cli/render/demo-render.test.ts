import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderDemo, renderDifferences } from '../../../src/cli/render/demo.js';
import type { Act } from '../../../src/demo/acts.js';
import type { DemoResult } from '../../../src/demo/demo.js';
import type { Difference } from '../../../src/demo/truth.js';
import { report } from '../../support/reports.js';

const ACT: Act = {
  report: report({ rows: 1_000, outcomes: { confirmed: 1_000 }, parts: [], calls: [] }),
  webUi: null,
  runMs: 10_000,
  compareMs: 500,
  compared: 1_500,
  differences: [],
};
const RESULT: DemoResult = {
  main: ACT,
  second: ACT,
  figures: {
    rowsPerSecond: 100,
    migrationEvents: 70,
    jobEvents: { mean: 27.25, most: 28 },
    workerBytes: 300 * 2 ** 20,
  },
  missing: [],
  agrees: true,
  steps: [{ what: 'start', ms: 3_000 }],
  totalMs: 24_000,
  addresses: { webUi: null, sandbox: '', databaseUrl: '', temporalAddress: '' },
};

function difference(line: number | null): Difference {
  return { line, channel: 'email', outcome: 'confirmed', who: 'a@x.test', what: 'it is not' };
}

describe('end of the demo', () => {
  it('says that ledger and account agree, and what it cost', () => {
    const text = renderDemo(RESULT);
    assert.match(text, /^The ledger is right: 3,000 channels of rows compared/);
    assert.match(text, /^start +3\.0 s$/m);
    assert.match(text, /^comparing \(in the acts\) +1\.0 s$/m);
    assert.match(text, /^all +24\.0 s$/m);
    assert.match(text, /70 of the migration, 27\.3 per job \(at most 28\)/);
    assert.match(text, /Memory of the worker: 300 MiB/);
  });

  it('says loudly that they do not, and which outcome no row shows', () => {
    const second = { ...ACT, differences: [difference(7)] };
    const text = renderDemo({ ...RESULT, second, missing: ['cancelled'], agrees: false });
    assert.match(text, /^The ledger is WRONG: 1 difference in 3,000 channels of rows\./);
    assert.match(text, /line 7, email of a@x\.test: the ledger says confirmed, but it is not/);
    assert.match(text, /^Not shown by any row: cancelled\.$/m);
  });

  it('shows the first 20 differences by line, then how many more', () => {
    const many = Array.from({ length: 25 }, (_, n) => difference(25 - n));
    const lines = renderDifferences([difference(null), ...many]).split('\n');
    assert.equal(lines.length, 21);
    assert.match(lines[0] ?? '', /^ {2}line 1,/);
    assert.match(lines[19] ?? '', /^ {2}line 20,/);
    assert.equal(lines[20], '  and 6 more');
  });
});
