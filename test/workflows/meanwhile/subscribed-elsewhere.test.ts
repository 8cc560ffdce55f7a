import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SeedProfile } from 'klaviyo-sandbox';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { DOUBLE, SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { people } from '../../support/people.js';
import { outcomesOf } from '../../support/outcomes.js';
import { untilJobWaits } from '../phases.js';

/** Everybody's consent is read again before a call. */
const TIMING = { ...TEST_TIMING, consentMaxAgeMs: 0, eventsSilentMs: 500 };

describe('somebody who subscribes elsewhere between the plan and the submit', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
  });
  after(() => harness.close());

  /** Runs the rows; what happens `meanwhile` happens when the first submit is about to be made. */
  async function run(
    rows: readonly string[],
    meanwhile: readonly SeedProfile[],
    request: Partial<MigrationRequest> = {},
    lostAnswers: readonly string[] = [],
  ): Promise<Record<string, string>> {
    const { consentry, sandbox, ledger } = harness;
    const gate = harness.gates.close('get_metrics');
    const lines = ['email,email_consent,phone_number,sms_consent', ...rows];
    const { id } = await consentry.migrations.start({
      file: await harness.source(`${rows[0] ?? 'none'}.csv`, lines),
      listId: SINGLE,
      channels: ['email', 'sms'],
      timing: TIMING,
      ...request,
    });
    await gate.reached;
    await consentry.migrations.pause(id);
    gate.open();
    await untilJobWaits(harness, id);
    for (const profile of meanwhile) sandbox.account.seed(profile);
    for (const endpoint of lostAnswers) {
      sandbox.account.addFault({ endpoint, kind: 'reset_after', times: 1 });
    }
    await consentry.migrations.resume(id);
    assert.equal((await consentry.migrations.waitForEnd(id)).phase, 'done');
    return outcomesOf(ledger, id);
  }

  const carried = (address: string): number =>
    [...harness.sandbox.account.subscribed()].filter(({ email }) => email === address).length;

  const isMember = (who: { email: string } | { phone_number: string }, listId = SINGLE): boolean =>
    harness.sandbox.account.truthFor(who)?.lists.some(({ id }) => id === listId) === true;

  test('is not sent again, and goes onto the list beside those who are', async () => {
    const [elsewhere = '', subscribes = ''] = people(2);
    const outcomes = await run(
      [`${elsewhere},yes,,`, `${subscribes},yes,,`],
      [{ email: elsewhere, email_consent: 'SUBSCRIBED' }],
    );
    assert.deepEqual(outcomes, {
      [`${elsewhere} email`]: 'already_consented',
      [`${elsewhere} list`]: 'list_only',
      [`${subscribes} email`]: 'confirmed',
    });
    assert.deepEqual([carried(elsewhere), carried(subscribes)], [0, 1]);
    assert.deepEqual(
      [isMember({ email: elsewhere }), isMember({ email: subscribes })],
      [true, true],
    );
  });

  test('is on the list already: nothing is sent', async () => {
    const [elsewhere = ''] = people(1);
    const outcomes = await run(
      [`${elsewhere},yes,,`],
      [{ email: elsewhere, email_consent: 'SUBSCRIBED', lists: [SINGLE] }],
    );
    assert.deepEqual(outcomes, { [`${elsewhere} email`]: 'already_consented' });
    assert.equal(carried(elsewhere), 0);
  });

  test('goes onto a double opt-in list without a message, as the consent is there', async () => {
    const [elsewhere = ''] = people(1);
    const outcomes = await run(
      [`${elsewhere},yes,,`],
      [{ email: elsewhere, email_consent: 'SUBSCRIBED' }],
      { listId: DOUBLE, optIn: 'double' },
    );
    assert.equal(outcomes[`${elsewhere} list`], 'list_only');
    assert.equal(carried(elsewhere), 0);
    assert.ok(isMember({ email: elsewhere }, DOUBLE));
  });

  test('is left off the list where they opted out of mail, or are suppressed', async () => {
    const [optedOut = '', suppressed = ''] = people(2);
    const outcomes = await run(
      [`${optedOut},,+12015550161,yes`, `${suppressed},,+12015550162,yes`],
      [
        {
          email: optedOut,
          email_consent: 'UNSUBSCRIBED',
          phone_number: '+12015550161',
          sms_consent: 'SUBSCRIBED',
        },
        {
          email: suppressed,
          suppressions: [{ reason: 'HARD_BOUNCE' }],
          phone_number: '+12015550162',
          sms_consent: 'SUBSCRIBED',
        },
      ],
    );
    assert.deepEqual(outcomes, {
      [`${optedOut} sms`]: 'already_consented',
      [`${suppressed} sms`]: 'already_consented',
    });
    assert.deepEqual(
      [isMember({ email: optedOut }), isMember({ email: suppressed })],
      [false, false],
    );
  });

  test('goes onto the list though the answer to the asking got lost', async () => {
    const [elsewhere = '', subscribes = ''] = people(2);
    const outcomes = await run(
      [`${elsewhere},yes,,`, `${subscribes},yes,,`],
      [{ email: elsewhere, email_consent: 'SUBSCRIBED' }],
      {},
      ['bulk_import_profiles'],
    );
    assert.equal(outcomes[`${elsewhere} list`], 'list_only');
    assert.deepEqual([carried(elsewhere), carried(subscribes)], [0, 1]);
  });

  test('is on no list where the run has none', async () => {
    const [elsewhere = '', other = ''] = people(2);
    const outcomes = await run(
      [`${elsewhere},yes,,`, `${other},yes,,`],
      [{ email: elsewhere, email_consent: 'SUBSCRIBED' }],
      { listId: null, optIn: 'double', timing: { ...TIMING, confirmWithinMs: 1_500 } },
    );
    assert.deepEqual(outcomes, {
      [`${elsewhere} email`]: 'already_consented',
      [`${other} email`]: 'no_click_yet',
    });
  });
});
