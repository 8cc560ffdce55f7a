import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Channel } from '../../src/contracts/channels.js';
import {
  answerSubmission,
  askForMembership,
  assignJobs,
  beginSubmission,
  forgetAsked,
  isAnybodyAsked,
  reportedParts,
  settleAskedAlready,
  settleParts,
  settleUnsent,
  type Asking,
  type Begun,
  type Ledger,
} from '../../src/ledger/index.js';
import { outcomesOf } from '../support/outcomes.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, openTestLedger, store } from '../support/ledger.js';
import { uniqueName } from '../support/stack.js';

const ASKING: Asking = { listId: 'LIST01', channels: ['email', 'sms'], againAfterDays: 30 };
const PHONE = '+12015550123';

describe('who was asked for a click', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  let made = 0;
  const address = () => `asked${(made += 1)}@example.com`;

  /** A run that asks these people, with its jobs. */
  async function run(emails: readonly string[], accountId = ACCOUNT): Promise<string> {
    const id = uniqueName('run');
    const people = emails.map((email) => intent({ email }));
    await store(ledger, id, people, {}, accountId);
    await assignJobs(ledger.db, id);
    return id;
  }

  /** Begins a call that carries the rows. */
  const begin = (
    migrationId: string,
    rowNumbers: readonly number[],
    asks: Asking = ASKING,
    channel: Channel = 'email',
  ): Promise<Begun> =>
    beginSubmission(ledger.db, {
      migrationId,
      jobNumber: 1,
      bringsIn: true,
      optsOutOf: null,
      asks,
      endpoint: 'bulk_subscribe_profiles',
      now: null,
      parts: rowNumbers.map((rowNumber) => ({ rowNumber, channel })),
    });

  async function ask(migrationId: string, rowNumbers: readonly number[], asks = ASKING) {
    const begun = await begin(migrationId, rowNumbers, asks);
    assert.ok(begun.state === 'begun', begun.state);
    return begun.id;
  }

  async function plan(emails: readonly string[], asks: Asking = ASKING, accountId = ACCOUNT) {
    const id = uniqueName('plan');
    const people = emails.map((email) => intent({ email }));
    await store(ledger, id, people, {}, accountId);
    await settleAskedAlready(ledger.db, id, asks);
    return outcomesOf(ledger, id);
  }

  const age = (days: number) =>
    sql`update consentry.asked set asked_at = asked_at - make_interval(days => ${days})`.execute(
      ledger.db,
    );

  const end = (migrationId: string, outcome: 'confirmed' | 'rejected' | 'pending_double_opt_in') =>
    settleParts(ledger.db, migrationId, [
      { rowNumber: 1, channel: 'email', outcome, reason: null, settledBy: 'profile_lookup' },
    ]);

  it('are left out by the plan of another run, with when it was', async () => {
    const [asked, other] = [address(), address()];
    await ask(await run([asked]), [1]);
    const id = uniqueName('plan');
    await store(ledger, id, [intent({ email: asked }), intent({ email: other })]);
    assert.equal(await settleAskedAlready(ledger.db, id, ASKING), 1);
    for await (const [first, second] of reportedParts(ledger.db, id)) {
      assert.ok(first !== undefined && second !== undefined);
      const { outcome, reason, settledBy, askedAt, sent } = first;
      assert.deepEqual(
        { outcome, reason, settledBy, sent },
        {
          outcome: 'pending_double_opt_in',
          reason: 'asked_already',
          settledBy: 'guard',
          sent: false,
        },
      );
      assert.ok(askedAt !== null && Math.abs(Date.now() - askedAt.getTime()) < 60_000);
      assert.deepEqual([second.outcome, second.askedAt], [null, null]);
    }
    assert.equal(await settleAskedAlready(ledger.db, id, ASKING), 0);
  });

  it('are asked for another list, channel or account, and after the days', async () => {
    const email = address();
    await ask(await run([email]), [1]);
    const open = { [`${email} email`]: 'open' };
    const asked = { [`${email} email`]: 'asked_already' };
    assert.deepEqual(await plan([email]), asked);
    assert.deepEqual(await plan([email], { ...ASKING, listId: null }), open);
    assert.deepEqual(await plan([email], { ...ASKING, listId: 'OTHER1' }), open);
    assert.deepEqual(await plan([email], { ...ASKING, channels: ['sms'] }), open);
    assert.deepEqual(await plan([email], ASKING, 'Other1'), open);
    assert.deepEqual(await plan([email], { ...ASKING, againAfterDays: 0 }), open);
    assert.equal(await isAnybodyAsked(ledger.db, ACCOUNT, ASKING), true);
    assert.equal(await isAnybodyAsked(ledger.db, ACCOUNT, { ...ASKING, listId: null }), false);
    await age(29);
    assert.deepEqual(await plan([email]), asked);
    await age(1);
    assert.deepEqual(await plan([email]), open);
  });

  it('are known by the identifier of the channel, whatever else the rows say', async () => {
    const both = uniqueName('both');
    const texts = part({ channel: 'sms' });
    await store(ledger, both, [
      intent({ email: address(), phoneNumber: PHONE, country: 'US', parts: [part(), texts] }),
    ]);
    await assignJobs(ledger.db, both);
    await begin(both, [1], ASKING, 'sms');
    const alone = uniqueName('alone');
    await store(ledger, alone, [
      intent({ email: null, phoneNumber: PHONE, country: 'US', parts: [texts] }),
    ]);
    await settleAskedAlready(ledger.db, alone, ASKING);
    assert.deepEqual(await outcomesOf(ledger, alone), { [`${PHONE} sms`]: 'asked_already' });
  });

  it('are asked again after they clicked or were refused, not after they did neither', async () => {
    for (const [outcome, then] of [
      ['pending_double_opt_in', 'asked_already'],
      ['confirmed', 'open'],
      ['rejected', 'open'],
    ] as const) {
      const email = address();
      const id = await run([email]);
      await ask(id, [1]);
      await end(id, outcome);
      assert.deepEqual(await plan([email]), { [`${email} email`]: then });
    }
  });

  it('do not join the list because of another channel', async () => {
    const email = address();
    await ask(await run([email]), [1]);
    const id = uniqueName('both');
    const parts = [part(), part({ channel: 'sms' })];
    const row = { phoneNumber: PHONE, country: 'US', parts };
    await store(ledger, id, [intent({ email, ...row }), intent({ email: address(), ...row })]);
    await settleAskedAlready(ledger.db, id, { ...ASKING, channels: ['email'] });
    const consented = (rowNumber: number, channel: 'email' | 'sms') =>
      ({
        rowNumber,
        channel,
        outcome: 'already_consented',
        reason: null,
        settledBy: 'guard',
      }) as const;
    await settleParts(ledger.db, id, [
      consented(1, 'sms'),
      consented(2, 'email'),
      consented(2, 'sms'),
    ]);
    await ledger.db.transaction().execute((tx) => askForMembership(tx, id, [1, 2]));
    const { rows } = await sql`
      select row_number from consentry.part where migration_id = ${id} and channel = 'list'`.execute(
      ledger.db,
    );
    assert.deepEqual(rows, [{ row_number: 2 }]);
  });

  it('outlive the run that asked', async () => {
    const email = address();
    const id = await run([email]);
    await ask(id, [1]);
    await end(id, 'pending_double_opt_in');
    await ledger.db.deleteFrom('run').where('id', '=', id).execute();
    assert.deepEqual(await plan([email]), { [`${email} email`]: 'asked_already' });
  });

  it('are left out of the call of a run that was planned before they were asked', async () => {
    const [asked, fresh] = [address(), address()];
    const late = await run([asked, fresh]);
    await ask(await run([asked]), [1]);
    const begun = await begin(late, [1, 2]);
    assert.ok(begun.state === 'begun');
    assert.deepEqual(begun.parts, [{ rowNumber: 2, channel: 'email' }]);
    assert.deepEqual(await outcomesOf(ledger, late), {
      [`${asked} email`]: 'asked_already',
      [`${fresh} email`]: 'open',
    });
    assert.deepEqual((await begin(late, [1])).state, 'nothing_left');
  });

  it('are asked by one of two runs whose calls begin in the same moment', async () => {
    const emails = Array.from({ length: 50 }, address);
    const runs = await Promise.all([run(emails), run([...emails].reverse())]);
    const rows = emails.map((_, n) => n + 1);
    const begun = await Promise.all(runs.map((id) => begin(id, rows)));
    const sent = begun.flatMap((each) => (each.state === 'begun' ? each.parts : []));
    assert.equal(sent.length, emails.length);
    const ended = await Promise.all(runs.map((id) => outcomesOf(ledger, id)));
    const left = ended.flatMap(Object.values).filter((end) => end === 'asked_already');
    assert.equal(left.length, emails.length);
  });

  it('of a call that was refused or never sent are asked by another run', async () => {
    for (const status of ['refused', 'not_sent'] as const) {
      const email = address();
      const id = await run([email]);
      const submission = await ask(id, [1]);
      await answerSubmission(ledger.db, submission, { status });
      assert.deepEqual(await plan([email]), { [`${email} email`]: 'open' });
    }
  });

  it('stay asked when the answer was lost, also if the next call is never sent', async () => {
    const email = address();
    const id = await run([email]);
    const lost = await ask(id, [1]);
    await answerSubmission(ledger.db, lost, { status: 'lost' });
    // The run itself may ask again: Klaviyo may never have had the first call.
    const again = await ask(id, [1]);
    await answerSubmission(ledger.db, again, { status: 'not_sent' });
    assert.deepEqual(await plan([email]), { [`${email} email`]: 'asked_already' });
    await settleUnsent(ledger.db, id, null, 'cancelled_before_sending');
    assert.deepEqual(await plan([email]), { [`${email} email`]: 'asked_already' });
  });

  it('are forgotten after a year', async () => {
    const email = address();
    await ask(await run([email]), [1]);
    await age(365);
    await forgetAsked(ledger.db, ACCOUNT);
    assert.equal(await isAnybodyAsked(ledger.db, ACCOUNT, ASKING), true);
    await age(2);
    await forgetAsked(ledger.db, ACCOUNT);
    assert.equal(await isAnybodyAsked(ledger.db, ACCOUNT, ASKING), false);
  });
});
