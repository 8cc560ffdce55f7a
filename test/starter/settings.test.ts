import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import { parseRequest } from '../../src/starter/migrations/request/parse.js';
import type { FullRequest } from '../../src/starter/migrations/request/schema.js';
import {
  importOptions,
  migrationInput,
  migrationSettings,
} from '../../src/starter/migrations/settings.js';

const MINUTE = 60_000;
const full = (settings: Omit<MigrationRequest, 'file'>): FullRequest =>
  parseRequest({ file: 'a.csv', ...settings });

describe('what comes of a request', () => {
  it('reads undated rows as it says, refuses them in a historical run, else subscribes them', () => {
    const undated = (settings: Omit<MigrationRequest, 'file'>) =>
      importOptions(full(settings), null).undated;
    assert.equal(undated({}), 'subscribe');
    assert.equal(undated({ historical: true }), 'reject');
    assert.equal(undated({ historical: true, undated: 'list_only', listId: 'X' }), 'list_only');
  });

  it('stops a historical run on an undated row only where nobody said what becomes of it', () => {
    const stops = (settings: Omit<MigrationRequest, 'file'>) =>
      migrationSettings(full(settings), 'source').stopOnUndated;
    assert.equal(stops({}), false);
    assert.equal(stops({ historical: true }), true);
    assert.equal(stops({ historical: true, undated: 'reject' }), false);
  });

  it('keeps in the ledger what the activities read', () => {
    const request = full({ optIn: 'double', implicit: true, listId: 'X', canary: { rows: 3 } });
    const kept = migrationSettings(request, 'source');
    assert.equal(kept.expectedOptIn, 'double_opt_in');
    assert.equal(kept.consent, 'implicit');
    assert.equal(kept.canaryRows, 3);
    assert.equal(kept.customSource, 'source');
    assert.equal(migrationSettings(full({ pilot: 7 }), 'source').canaryRows, 7);
    assert.equal(migrationSettings(full({ customSource: 'mine' }), 'source').customSource, 'mine');
  });

  it('waits for approval above the rows that it names, and never for a plan alone', () => {
    const waits = (settings: Omit<MigrationRequest, 'file'>, rows: number) =>
      migrationInput('id', full(settings), rows).waitsForApproval;
    assert.equal(waits({}, 5_000), false);
    assert.equal(waits({ approvalAbove: 1_000 }, 1_000), false);
    assert.equal(waits({ approvalAbove: 1_000 }, 1_001), true);
    assert.equal(waits({ approvalAbove: 0, dryRun: true }, 5_000), false);
  });

  it('goes on after a canary, 15 minutes later unless it says another time, and not after a pilot', () => {
    const canary = (settings: Omit<MigrationRequest, 'file'>) =>
      migrationInput('id', full(settings), 10).canary;
    assert.equal(canary({}), null);
    assert.deepEqual(canary({ pilot: 5 }), { waitMs: 0, thenStop: true });
    assert.deepEqual(canary({ canary: { rows: 5 } }), { waitMs: 15 * MINUTE, thenStop: false });
    assert.deepEqual(canary({ canary: { rows: 5, waitMs: 0 } }), { waitMs: 0, thenStop: false });
  });

  for (const [settings, confirm, membership, applied] of [
    [{}, 15, 30, 15],
    [{ historical: true }, 45, 30, 45],
    // Who wants outcomes sooner does not make Klaviyo quicker; who waits longer gives it longer.
    [{ timing: { confirmWithinMs: MINUTE } }, 1, 1, 15],
    [{ timing: { confirmWithinMs: 60 * MINUTE } }, 60, 60, 60],
    [{ timing: { appliedWithinMs: MINUTE } }, 15, 30, 1],
  ] as const) {
    it(`gives Klaviyo the time that it needs: ${JSON.stringify(settings)}`, () => {
      const { timing } = migrationInput('id', full(settings), 1);
      assert.equal(timing.confirmWithinMs, confirm * MINUTE);
      assert.equal(timing.membershipWithinMs, membership * MINUTE);
      assert.equal(timing.appliedWithinMs, applied * MINUTE);
    });
  }

  it('follows people for the days that it says', () => {
    const watched = (settings: Omit<MigrationRequest, 'file'>) =>
      migrationInput('id', full(settings), 1).timing.watchForMs / MINUTE / 60 / 24;
    assert.equal(watched({}), 7);
    assert.equal(watched({ watchDays: 0 }), 0);
    assert.equal(watched({ watchDays: 30, timing: { watchForMs: 0 } }), 0);
  });
});
