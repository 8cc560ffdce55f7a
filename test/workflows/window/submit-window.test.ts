import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPEN_BATCHES, SUBMITTING_BATCHES } from '../../../src/contracts/limits.js';
import { SubmitWindow } from '../../../src/workflows/migration/submit-window.js';

const JOBS = 250;

/** Starts batches for as long as there is room. @returns how many started */
function fill(window: SubmitWindow, jobs = JOBS): number {
  let started = 0;
  for (; started < 1_000 && window.hasRoomFor(jobs); started += 1) window.started(jobs);
  return started;
}

describe('the window of batches', () => {
  test('never has more batches open than Temporal advises, however many jobs wait', () => {
    const window = new SubmitWindow(JOBS);
    window.passed(Infinity);
    assert.equal(fill(window), OPEN_BATCHES);
    window.ended(JOBS);
    assert.equal(fill(window), 1);
  });

  test('does not count a batch twice that has ended and whose jobs were told to be past', () => {
    const window = new SubmitWindow(JOBS);
    assert.equal(fill(window), SUBMITTING_BATCHES);
    window.passed(JOBS);
    assert.equal(fill(window), 1);
    window.ended(JOBS);
    assert.equal(fill(window), 0);
  });

  test('has room for a last batch that is smaller, and none for one more', () => {
    const window = new SubmitWindow(JOBS);
    fill(window);
    window.passed(1);
    assert.equal(fill(window, 1), 1);
  });
});
