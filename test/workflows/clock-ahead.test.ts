import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Evidence, Outcome } from '../../src/contracts/outcomes.js';
import { reportedParts } from '../../src/ledger/index.js';
import type { MigrationRequest } from '../../src/starter/settings.js';
import { SINGLE, startHarness, TEST_TIMING, type Harness } from '../support/harness.js';
import { people } from './people.js';

/** Far ahead: an hour, where the feeds allow for minutes. Deadlines are longer than the test waits. */
const TIMING = {
  ...TEST_TIMING,
  confirmWithinMs: 600_000,
  membershipWithinMs: 600_000,
  eventsSilentMs: 200,
};

describe('a run whose clock is far ahead of Klaviyo’s', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const [says, request, outcome, evidence] of [
    ['a live run', {}, 'confirmed', 'profile_lookup'],
    [
      'a historical run',
      { historical: true, consentedAt: '2024-05-06T00:00:00Z' },
      'confirmed',
      'profile_lookup',
    ],
    ['an implicit run', { implicit: true }, 'list_only', 'list_members'],
  ] as const satisfies readonly [string, Partial<MigrationRequest>, Outcome, Evidence][]) {
    test(
      `${says} is proved by look-ups, as the feeds are refused`,
      { timeout: 60_000 },
      async () => {
        const { consentry, ledger, sandbox } = harness;
        sandbox.account.addFault({ endpoint: 'get_list', kind: '503', times: 1_000 });
        const rows = people(3).map((address) => `${address},subscribed`);
        const { id } = await consentry.startMigration({
          file: await harness.source(`${says}.csv`, ['email,email_consent', ...rows]),
          listId: SINGLE,
          timing: TIMING,
          ...request,
        });
        await ledger.pool.query(
          `update consentry.migration set created_at = created_at + interval '1 hour' where id = $1`,
          [id],
        );
        sandbox.account.clearFaults();
        const { phase, warnings } = await consentry.waitForEnd(id);
        assert.equal(phase, 'done');
        assert.deepEqual(
          warnings.filter((warning) => warning.includes('Reading back stopped')),
          [],
        );
        const { calls } = await consentry.report(id);
        const refused = calls.filter(({ status }) => status === '400');
        assert.ok(refused.length > 0, 'no feed was refused');
        for (const feed of refused) assert.equal(feed.calls, 1, `${feed.endpoint} was asked again`);
        for await (const page of reportedParts(ledger.db, id)) {
          for (const part of page) {
            assert.deepEqual([part.outcome, part.evidence], [outcome, evidence]);
          }
        }
      },
    );
  }
});
