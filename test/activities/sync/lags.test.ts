import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lagsIn } from '../../../src/activities/sync/lags.js';
import { renderSyncs } from '../../../src/cli/render/sync.js';
import { lagOf, lagsTogether, summaryOf, type Lags } from '../../../src/contracts/sync-lag.js';
import type { WrittenChange } from '../../../src/destinations/destination.js';
import { lagStatus } from '../../../src/starter/syncs/lag-status.js';
import type { SyncStatus } from '../../../src/starter/syncs/syncs.js';

const MINUTE_MS = 60_000;

function change(
  thing: WrittenChange['thing'],
  changedAt: string | null,
  noticedAt: string,
): WrittenChange {
  return {
    profileId: '01A',
    thing,
    before: null,
    after: null,
    happenedAt: null,
    changedAt,
    noticedAt,
  };
}

describe('how late changes were noticed', () => {
  test('is by Klaviyo’s clock, of what Klaviyo dates', () => {
    const lags = lagsIn(
      {
        changes: [
          change('email_marketing', '2026-03-01T12:00:00.000000Z', '2026-03-01T10:10:00.000000Z'),
          change('email_marketing', '2026-03-01T12:09:59.000000Z', '2026-03-01T10:10:00.000000Z'),
          change('email_marketing_suppressions', null, '2026-03-01T10:10:00.000000Z'),
          // It cannot be noticed before: the clocks are not known to the millisecond.
          change('sms_marketing', '2026-03-01T12:10:01.000000Z', '2026-03-01T10:10:00.000000Z'),
        ],
        members: { joinedAt: ['2026-03-01T12:05:00.000000Z', null], left: 3 },
      },
      // Klaviyo's clock is two hours ahead of the ledger's.
      '2026-03-01T10:15:00.000Z',
      Date.parse('2026-03-01T12:15:00Z'),
    );
    assert.deepEqual(lagStatus(lags).email_marketing, {
      changes: 2,
      medianMs: 1_000,
      largestMs: 10 * MINUTE_MS,
    });
    assert.deepEqual(lagStatus(lags).sms_marketing?.largestMs, 0);
    assert.deepEqual(lagStatus(lags).list_memberships?.largestMs, 10 * MINUTE_MS);
    assert.equal(lagStatus(lags).email_marketing_suppressions, null);
  });

  test('has a median that is right to a fifth, however many runs it is from', () => {
    const all = Array.from({ length: 1_001 }, (_, n) => 500 + n * 7_919);
    const runs = all.map((ms): Lags => ({ sms_marketing: lagOf(ms) }));
    const halves = [runs.slice(0, 300), runs.slice(300)].map(lagsTogether);
    const {
      changes,
      medianMs = 0,
      largestMs,
    } = summaryOf(lagsTogether(halves)['sms_marketing']) ?? {};
    const median = all[500] ?? 0;
    assert.deepEqual([changes, largestMs], [1_001, all.at(-1)]);
    assert.ok(medianMs >= median && medianMs <= median * 1.2, `${medianMs}, not ${median}`);
    assert.deepEqual(lagsTogether([]), {});
  });

  test('is shown for each channel, with - where nothing changed, of one sync', () => {
    const lag = lagStatus({ sms_marketing: lagOf(90_000) });
    const sync = { id: 'x', name: 'nightly', accountId: 'AbC123', destination: 'crm' };
    const status = { sync, runs: [], lastSuccessMs: null, isLate: false, lag, schedule: null };
    const shown = renderSyncs([status as unknown as SyncStatus], true);
    assert.match(shown, /^sms_marketing +1 +1 min 30 s +1 min 30 s$/m);
    assert.match(shown, /^email_marketing +- +- +-$/m);
    assert.match(shown, /^list_memberships +- +- +-$/m);
    assert.doesNotMatch(renderSyncs([status as unknown as SyncStatus], false), /lag/);
  });
});
