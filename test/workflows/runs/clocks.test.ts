import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SettledBy, Outcome } from '../../../src/contracts/outcomes.js';
import { reportedParts } from '../../../src/ledger/index.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';

/** Deadlines are longer than the test waits: the feeds alone have to do. */
const TIMING = {
  ...TEST_TIMING,
  confirmWithinMs: 600_000,
  membershipWithinMs: 600_000,
  eventsSilentMs: 600_000,
};

const HOUR = 3_600_000;

for (const aheadMs of [HOUR, -HOUR]) {
  describe(`a Klaviyo whose clock is an hour ${aheadMs > 0 ? 'ahead' : 'behind'}`, () => {
    let harness: Harness;
    before(async () => {
      harness = await startHarness({ sandbox: { clockAheadMs: aheadMs } });
    });
    after(() => harness.close());

    for (const [says, request, outcome, settledBy] of [
      ['a live run is proved by its events', {}, 'confirmed', 'events'],
      [
        'a historical run by its list',
        { historical: true, consentedAt: '2024-05-06T00:00:00Z' },
        'confirmed',
        'list_members',
      ],
      ['an implicit run by its list', { implicit: true }, 'list_only', 'list_members'],
    ] as const satisfies readonly [string, Partial<MigrationRequest>, Outcome, SettledBy][]) {
      test(`${says}, as it reads by Klaviyo’s own time`, { timeout: 60_000 }, async () => {
        const { consentry, ledger } = harness;
        const id = await startRun(harness, people(3), { timing: TIMING, ...request });
        assert.equal((await consentry.migrations.waitForEnd(id)).phase, 'done');
        const { calls } = await consentry.migrations.report(id);
        assert.deepEqual(
          calls.filter(({ status }) => status === '400'),
          [],
          'no time of a filter was still to come',
        );
        for await (const page of reportedParts(ledger.db, id)) {
          for (const part of page) {
            assert.deepEqual([part.outcome, part.settledBy], [outcome, settledBy]);
          }
        }
      });
    }
  });
}
