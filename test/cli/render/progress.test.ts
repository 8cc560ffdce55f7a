import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from '../../../src/cli/terminal/pace.js';
import { ProgressView } from '../../../src/cli/terminal/progress-view.js';
import { estimateLeft, progressLine, type PaceSoFar } from '../../../src/cli/render/progress.js';
import type { Progress } from '../../../src/contracts/migration.js';
import { Written } from '../terminal.js';

const PROGRESS: Progress = {
  migrationId: 'm',
  phase: 'settle',
  paused: false,
  held: null,
  rows: 20_000,
  outcomes: { rejected: 580, confirmed: 11_420 },
  jobs: { total: 19, submitted: 19, settled: 3 },
  accepted: 15_000,
  warnings: [],
  failure: null,
};

describe('progress line', () => {
  it('has phase, rows, jobs, outcomes in their order, and the estimate', () => {
    assert.equal(
      progressLine(PROGRESS, { ms: 12_300, atMost: false }),
      'waiting to read back | 12,000 of 20,000 rows (60.0 %) | ETA 12.3 s' +
        ' | confirmed 11,420 | rejected 580 | 19 of 19 jobs sent',
    );
  });

  it('says that an estimate is the deadline', () => {
    assert.match(
      progressLine(PROGRESS, { ms: 900_000, atMost: true }),
      / \| at most 15 min 00 s \|/,
    );
  });

  it('has no estimate below a second', () => {
    assert.doesNotMatch(progressLine(PROGRESS, { ms: 3, atMost: false }), /ETA/);
  });

  it('leaves out what is not known yet', () => {
    const begun: Progress = {
      ...PROGRESS,
      phase: 'submit',
      paused: true,
      outcomes: {},
      jobs: { total: 0, submitted: 0, settled: 0 },
    };
    assert.equal(progressLine(begun, null), 'submitting (paused) | 0 of 20,000 rows (0.0 %)');
  });
});

describe('estimate of the rest', () => {
  const pace: PaceSoFar = {
    rows: 1_100,
    settledAtStart: 100,
    settled: 100,
    jobs: { total: 4, submitted: 0 },
    elapsedMs: 10_000,
    sinceLastSubmitMs: null,
    confirmWithinMs: 60_000,
  };
  for (const [what, change, left] of [
    ['is unknown before anything happened', {}, null],
    ['is nothing when every row has an outcome', { settled: 1_100 }, 'in 0'],
    ['follows the pace, without what ended before', { settled: 600 }, 'in 10000'],
    [
      'ends with the deadline of the last job, by the pace of submitting',
      { jobs: { total: 4, submitted: 1 } },
      'at most 90000',
    ],
    [
      'ends with the deadline once all is submitted',
      { settled: 101, sinceLastSubmitMs: 45_000 },
      'at most 15000',
    ],
    ['follows the pace again after it', { settled: 600, sinceLastSubmitMs: 61_000 }, 'in 10000'],
    ['takes the pace where it is better', { settled: 1_000, sinceLastSubmitMs: 0 }, 'in 1111'],
  ] as const) {
    it(what, () => {
      const estimate = estimateLeft({ ...pace, ...change });
      const words = estimate && `${estimate.atMost ? 'at most' : 'in'} ${Math.round(estimate.ms)}`;
      assert.equal(words, left);
    });
  }

  it('is none for a run that is paused, cancelled or over', () => {
    const tracked = new Pace(60_000);
    for (const change of [{ paused: true }, { phase: 'cancelling' }, { phase: 'done' }] as const) {
      assert.equal(tracked.left({ ...PROGRESS, ...change }), null);
    }
  });

  it('counts from the first look', () => {
    const tracked = new Pace(60_000);
    const jobs = { total: 2, submitted: 1, settled: 0 };
    const at = (confirmed: number): Progress => ({
      ...PROGRESS,
      rows: 1_000,
      outcomes: { confirmed },
      jobs,
    });
    tracked.left(at(500), 1_000);
    assert.deepEqual(tracked.left(at(750), 2_000), { ms: 1_000, atMost: false });
  });
});

describe('progress where there is no terminal', () => {
  it('is a line on change, and no second one within two seconds', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const stderr = new Written();
    const view = new ProgressView({ stdout: new Written(), stderr }, 60_000);
    const show = (confirmed: number): void => view.show({ ...PROGRESS, outcomes: { confirmed } });
    show(1);
    t.mock.timers.tick(1_900);
    show(2);
    t.mock.timers.tick(200);
    show(3);
    t.mock.timers.tick(5_000);
    show(3);
    view.stop();
    const shown = stderr.text.trim().split('\n');
    assert.deepEqual(
      shown.map((line) => /confirmed (\d+)/.exec(line)?.[1]),
      ['1', '3'],
    );
  });
});

describe('progress in a terminal', () => {
  it('is a bar that is left behind when it ends', () => {
    const stderr = new Written(true);
    const view = new ProgressView({ stdout: new Written(), stderr }, 60_000);
    view.show(PROGRESS);
    view.stop();
    assert.match(stderr.text, /█+░+/);
    assert.match(stderr.text, /confirmed 11,420/);
  });
});
