import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { WorkflowNotFoundError } from '@temporalio/client';
import { segmentWords } from '../../../src/cli/render/segment.js';
import { workflowIds } from '../../../src/contracts/names.js';
import { bluntWords, type SegmentFound } from '../../../src/contracts/segments.js';
import { SegmentBrakedError } from '../../../src/ledger/index.js';
import { ConfigFileError } from '../../../src/starter/programs/file/problems.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { peopleOf, Segment } from './segment.js';

describe('what becomes of whoever leaves a segment', { timeout: 300_000 }, () => {
  let harness: Harness;
  let people: ReturnType<typeof peopleOf>;
  let tests = 0;
  before(async () => {
    harness = await startHarness();
    people = peopleOf(harness);
  });
  beforeEach(() => void tests++);
  after(() => harness.close());

  /** Two that the segment subscribes and one who was subscribed before. */
  const three = (): [string, string, string] => {
    const [ada, bob, sub] = ['ada', 'bob', 'sub'].map((name) => `${name}-${tests}@leave.test`);
    people.known(ada!, bob!);
    people.seed(sub!, 'SUBSCRIBED');
    return [ada!, bob!, sub!];
  };

  const isSuppressed = (email: string): boolean =>
    harness.sandbox.account
      .truthFor({ email })
      ?.subscriptions.email.marketing.suppression.some(
        ({ reason }) => reason === 'USER_SUPPRESSED',
      ) ?? false;

  it('suppresses whoever has their consent from the program, and nobody else', async () => {
    const [ada, bob, sub] = three();
    const phone = '+12015550181';
    harness.sandbox.account.seed({ phone_number: phone });
    const segment = new Segment(
      harness,
      'key: member_id, channels: [email, sms], leave: { do: suppress, after: 1 run }',
    );
    const stays = `1,${ada},`;
    await segment.has(stays, `2,${bob},`, `3,${sub},`, `4,,${phone}`);
    await segment.run();
    await segment.has(stays);
    const { leaving, blunt, outcomes } = await segment.run();
    assert.equal(leaving, 3);
    assert.deepEqual(blunt, { does: 'suppress', all: false, people: 2, others: 1 });
    assert.deepEqual(outcomes, { confirmed: 3 }, 'all are off the list');
    assert.deepEqual([ada, bob, sub].map(isSuppressed), [false, true, false]);
    assert.deepEqual(
      [ada, bob, sub].map((email) => people.isOnList(email)),
      [true, false, false],
    );
    const texts = harness.sandbox.account.truthFor({ phone_number: phone });
    assert.equal(texts?.subscriptions.sms?.marketing?.consent, 'SUBSCRIBED', 'by address alone');
    assert.equal((await segment.start()).started, null, 'it is done');
    await segment.has(stays, `2,${bob},`);
    await segment.run();
    assert.ok(isSuppressed(bob) && !people.isOnList(bob), 'the guard holds them');
  });

  it('suppresses nobody whom another segment has', async () => {
    const [ada, bob] = three();
    const settings = 'key: member_id, leave: { do: suppress, after: 1 run }';
    const segment = new Segment(harness, settings);
    const another = new Segment(harness, settings);
    await segment.has(`1,${ada},`, `2,${bob},`);
    await segment.run();
    await another.has(`2,${bob},`);
    await another.run();
    await segment.has(`1,${ada},`);
    const { blunt } = await segment.run();
    assert.deepEqual(blunt, { does: 'suppress', all: false, people: 1, others: 1 });
    assert.ok(!isSuppressed(bob) && people.isOnList(bob));
  });

  it('unsubscribes everybody who leaves if it says all, and says so before', async () => {
    const [ada, bob, sub] = three();
    const segment = new Segment(
      harness,
      'key: member_id, leave: { do: unsubscribe, all: true, after: 1 run }, brakes: { leave: { people: 1 } }',
    );
    const stays = `1,${ada},`;
    await segment.has(stays, `2,${bob},`, `3,${sub},`);
    await segment.run();
    await segment.has(stays);
    const blunt = { does: 'unsubscribe', all: true, people: 2, others: 1 } as const;
    await assert.rejects(segment.start(), (error: unknown) => {
      assert.ok(error instanceof SegmentBrakedError);
      assert.deepEqual(error.found.blunt, blunt);
      assert.ok(error.message.includes(bluntWords(blunt)), error.message);
      return true;
    });
    const planned = await segment.start({ dryRun: true, beyondBrakes: true });
    assert.ok(planned.found !== null);
    assert.match(segmentWords(planned.found), /WARNING: whoever leaves is unsubscribed.*: 2 in/);
    await harness.consentry.migrations.waitForEnd(planned.started?.id ?? '');
    assert.equal(people.consentOf(sub), 'SUBSCRIBED');
    const done = await segment.run({ beyondBrakes: true });
    assert.deepEqual([done.blunt, done.outcomes], [blunt, { confirmed: 2 }]);
    assert.deepEqual(
      [ada, bob, sub].map((email) => people.consentOf(email)),
      ['SUBSCRIBED', 'UNSUBSCRIBED', 'UNSUBSCRIBED'],
    );
    assert.equal((await segment.start()).started, null, 'it is done');
  });

  it('says who leaves before anything is sent', async () => {
    const [ada, bob] = three();
    const segment = new Segment(harness, 'key: member_id');
    await segment.has(`1,${ada},`, `2,${bob},`);
    const prepared = await segment.prepare();
    const told: number[] = [];
    const onFound = ({ entering }: SegmentFound) => {
      told.push(entering);
      throw new Error('nothing may be started yet');
    };
    await assert.rejects(
      harness.consentry.programs.start(prepared, { onFound }),
      /nothing may be started yet/,
    );
    assert.deepEqual(told, [2]);
    const { rows } = await harness.ledger.pool.query<{ id: string }>(
      'select id from consentry.migration where program = $1',
      [segment.name],
    );
    const handle = harness.client.workflow.getHandle(workflowIds.migration(rows[0]?.id ?? ''));
    await assert.rejects(handle.describe(), WorkflowNotFoundError);
  });

  it('takes back at once what it gave to whoever says no, and takes a blank for nothing', async () => {
    const [ada, bob, sub] = three();
    const eve = `eve-${tests}@leave.test`;
    people.known(eve);
    const segment = new Segment(harness, 'key: member_id', {
      header: 'member_id,email,email_consent',
    });
    await segment.has(`1,${ada},yes`, `2,${bob},yes`, `3,${sub},yes`, `4,${eve},yes`);
    await segment.run();
    await segment.has(`1,${ada},yes`, `2,${bob},no`, `3,${sub},no`, `4,${eve},`);
    const { leaving, refused } = await segment.run();
    assert.deepEqual([leaving, refused.says_no], [2, 2], 'a blank says nothing');
    const emails = [ada, bob, sub, eve];
    assert.deepEqual(
      emails.map((email) => people.consentOf(email)),
      ['SUBSCRIBED', 'UNSUBSCRIBED', 'SUBSCRIBED', 'SUBSCRIBED'],
      'what somebody else gave stays',
    );
    assert.deepEqual(
      emails.map((email) => people.isOnList(email)),
      [true, false, false, true],
    );
    assert.equal((await segment.start()).started, null, 'it is done');
    await segment.has(`1,${ada},yes`, `2,${bob},yes`, `3,${sub},no`, `4,,no`);
    const again = await segment.run();
    assert.deepEqual([again.asked, again.leaving], [1, 1], 'a row without an address says no too');
    assert.equal(people.consentOf(eve), 'UNSUBSCRIBED');
    assert.equal(people.consentOf(bob), 'UNSUBSCRIBED', 'the guard holds them');
  });

  it('takes back one channel, and the list with the last one', async () => {
    const email = `both-${tests}@leave.test`;
    const phone = '+12015550182';
    harness.sandbox.account.seed({ email, phone_number: phone });
    const segment = new Segment(
      harness,
      'key: member_id, channels: [email, sms], leave: { do: nothing }',
      { header: 'member_id,email,phone_number,email_consent,sms_consent' },
    );
    const textsOf = () =>
      harness.sandbox.account.truthFor({ email })?.subscriptions.sms?.marketing?.consent;
    const other = '9,other@leave.test,,yes,';
    await segment.has(`1,${email},${phone},yes,yes`, other);
    await segment.run();
    await segment.has(`1,${email},${phone},no,yes`, other);
    await segment.run();
    assert.equal(people.consentOf(email), 'UNSUBSCRIBED');
    assert.ok(textsOf() === 'SUBSCRIBED' && people.isOnList(email), 'texts go on');
    assert.equal((await segment.start()).started, null, 'it is done');
    await segment.has(`1,${email},${phone},no,no`, other);
    await segment.run();
    assert.equal(textsOf(), 'UNSUBSCRIBED');
    assert.ok(!people.isOnList(email));
    assert.equal((await segment.start()).started, null, 'it is done');
  });

  it('counts a no for its brakes, and takes nothing back while it begins anew', async () => {
    const [ada, bob] = three();
    const segment = new Segment(
      harness,
      'key: member_id, brakes: { leave: { people: 1 } }, leave: { after: 9 runs }',
      { header: 'member_id,email,email_consent' },
    );
    await segment.has(`1,${ada},yes`, `2,${bob},yes`);
    await segment.run();
    await segment.has(`1,${ada},no`, `2,${bob},no`);
    await assert.rejects(segment.start(), /2 people would leave, and brakes.leave.people is 1/);
    await harness.source('other.csv', ['member_id,email,email_consent', `1,${ada},no`]);
    const other = await segment.load(segment.settings, 'other.csv');
    const baseline = await segment.run({}, other);
    assert.deepEqual([baseline.isBaseline, baseline.leaving], [true, 0]);
    assert.equal(people.consentOf(ada), 'SUBSCRIBED');
    assert.equal((await segment.run({}, other)).leaving, 1);
    assert.equal(people.consentOf(ada), 'UNSUBSCRIBED');
  });

  it('refuses what cannot be done', async () => {
    const refusalOf = async (settings: string): Promise<string> => {
      const segment = new Segment(harness, settings);
      try {
        await segment.load();
      } catch (error) {
        assert.ok(error instanceof ConfigFileError);
        return error.message;
      }
      assert.fail('it was taken');
    };
    assert.match(
      await refusalOf('key: member_id, leave: { all: true }'),
      /all: true, but remove_from_list ends nobody's consent. Give do: unsubscribe or do: suppress/,
    );
    assert.match(
      await refusalOf('key: member_id, channels: [sms], leave: { do: suppress }'),
      /does not ask for e-mail. Give do: unsubscribe, or add email to channels/,
    );
  });
});
