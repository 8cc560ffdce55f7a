import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  erasePeople,
  SegmentAsksElseError,
  SegmentBrakedError,
  SegmentKeyError,
} from '../../../src/ledger/index.js';
import { SourceError } from '../../../src/importers/index.js';
import { loadPrograms } from '../../../src/starter/programs/load.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { HEADER, peopleOf, Segment } from './segment.js';

describe('segments', { timeout: 300_000 }, () => {
  let harness: Harness;
  let people: ReturnType<typeof peopleOf>;
  before(async () => {
    harness = await startHarness();
    people = peopleOf(harness);
  });
  after(() => harness.close());

  it('subscribes whoever enters and has a profile, once, and nobody who opted out', async () => {
    people.known('ada1@shop.test', 'bob1@shop.test');
    people.seed('out1@shop.test', 'UNSUBSCRIBED');
    const segment = new Segment(harness, 'key: member_id');
    await segment.has(
      '1,ada1@shop.test,',
      '2,bob1@shop.test,',
      '3,out1@shop.test,',
      '4,new1@shop.test,',
    );
    const first = await segment.run();
    assert.deepEqual(first.outcomes, { confirmed: 2, skipped_opted_out: 1, rejected: 1 });
    assert.equal(first.entering, 4);
    assert.equal(people.consentOf('ada1@shop.test'), 'SUBSCRIBED');
    assert.equal(people.consentOf('out1@shop.test'), 'UNSUBSCRIBED');
    assert.equal(people.consentOf('new1@shop.test'), null, 'nobody was created');
    assert.ok(people.isOnList('bob1@shop.test') && !people.isOnList('out1@shop.test'));
    const second = await segment.start();
    assert.equal(second.started, null);
    assert.equal(second.found?.entering, 0);
  });

  it('takes back after two runs what it gave, and nothing that somebody else gave', async () => {
    people.known('ada2@shop.test', 'bob2@shop.test');
    people.seed('sub2@shop.test', 'SUBSCRIBED');
    const segment = new Segment(harness, 'key: member_id, leave: { do: unsubscribe }');
    const ada = '1,ada2@shop.test,';
    await segment.has(ada, '2,bob2@shop.test,', '3,sub2@shop.test,');
    await segment.run();
    assert.ok(people.isOnList('sub2@shop.test'));
    await segment.has(ada);
    const once = await segment.run();
    assert.deepEqual([once.missing, once.leaving, once.outcomes], [2, 0, {}]);
    const twice = await segment.run();
    assert.deepEqual([twice.missing, twice.leaving], [0, 2]);
    assert.equal(people.consentOf('ada2@shop.test'), 'SUBSCRIBED');
    assert.equal(people.consentOf('bob2@shop.test'), 'UNSUBSCRIBED');
    assert.equal(people.consentOf('sub2@shop.test'), 'SUBSCRIBED');
    assert.ok(!people.isOnList('bob2@shop.test') && !people.isOnList('sub2@shop.test'));
    assert.equal((await segment.start()).started, null, 'it is done');
  });

  it('leaves the list alone, if nothing else is said', async () => {
    people.known('ada3@shop.test', 'bob3@shop.test');
    const segment = new Segment(harness, 'key: member_id, leave: { after: 1 run }');
    await segment.has('1,ada3@shop.test,', '2,bob3@shop.test,');
    await segment.run();
    await segment.has('1,ada3@shop.test,');
    const { leaving, outcomes } = await segment.run();
    assert.deepEqual([leaving, outcomes], [1, { confirmed: 1 }]);
    assert.equal(people.consentOf('bob3@shop.test'), 'SUBSCRIBED');
    assert.ok(!people.isOnList('bob3@shop.test') && people.isOnList('ada3@shop.test'));
  });

  it('follows people who get another key or another address, and no blank one', async () => {
    people.known('key4@shop.test', 'old4@shop.test', 'now4@shop.test', 'blank4@shop.test');
    const segment = new Segment(
      harness,
      'key: member_id, leave: { do: unsubscribe, after: 1 run }',
    );
    await segment.has('1,key4@shop.test,', '2,old4@shop.test,', '3,blank4@shop.test,');
    await segment.run();
    await segment.has('9,key4@shop.test,', '2,now4@shop.test,', '3,,');
    const { entering, leaving, changed, outcomes } = await segment.run();
    assert.deepEqual([entering, leaving, changed], [0, 1, 1]);
    assert.deepEqual(outcomes, { confirmed: 2 }, 'of the new key nothing is asked');
    assert.equal(people.consentOf('key4@shop.test'), 'SUBSCRIBED');
    assert.equal(people.consentOf('old4@shop.test'), 'UNSUBSCRIBED');
    assert.equal(people.consentOf('now4@shop.test'), 'SUBSCRIBED');
    assert.equal(people.consentOf('blank4@shop.test'), 'SUBSCRIBED');
    assert.ok(people.isOnList('blank4@shop.test'));
  });

  it('tries again whom a run did not reach', async () => {
    people.known('ada3b@shop.test');
    const segment = new Segment(harness, 'key: member_id');
    await segment.has('1,ada3b@shop.test,');
    await segment.cancelled();
    assert.ok(!people.isOnList('ada3b@shop.test'));
    const { entering, asked, outcomes } = await segment.run();
    assert.deepEqual([entering, asked, outcomes], [0, 1, { confirmed: 1 }]);
    assert.ok(people.isOnList('ada3b@shop.test'));
  });

  it('keeps on the list whoever has another number', async () => {
    const email = 'tel4@shop.test';
    harness.sandbox.account.seed({ email, phone_number: '+12015550141' });
    const segment = new Segment(
      harness,
      'key: member_id, channels: [email, sms], leave: { do: unsubscribe, after: 1 run }',
    );
    await segment.has(`1,${email},+12015550141`);
    assert.deepEqual((await segment.run()).outcomes, { confirmed: 1 });
    await segment.has(`1,${email},+12015550142`);
    const { changed, leaving } = await segment.run();
    assert.deepEqual([changed, leaving], [1, 1]);
    assert.equal(people.consentOf(email), 'SUBSCRIBED');
    assert.ok(people.isOnList(email));
  });

  it('lets nobody leave because its source is another one', async () => {
    people.known('ada5@shop.test', 'bob5@shop.test');
    const segment = new Segment(
      harness,
      'key: member_id, leave: { do: unsubscribe, after: 1 run }',
    );
    await segment.has('1,ada5@shop.test,', '2,bob5@shop.test,');
    await segment.run();
    await harness.source('other.csv', [HEADER, '1,ada5@shop.test,']);
    const other = await segment.load(segment.settings, 'other.csv');
    for (const isBaseline of [true, false]) {
      const { kept, leaving, ...found } = await segment.run({}, other);
      assert.deepEqual([found.isBaseline, kept, leaving], [isBaseline, 1, 0]);
    }
    assert.equal(people.consentOf('bob5@shop.test'), 'SUBSCRIBED');
  });

  it('has a double opt-in list of its own, which apply creates, if the file names none', async () => {
    const path = await harness.source('consentry.yaml', [
      'version: 1',
      'accounts: { shop: {} }',
      'programs:',
      '  regulars: { account: shop, source: { file: regulars.csv }, key: member_id }',
    ]);
    await harness.source('regulars.csv', [HEADER, '1,ada10@shop.test,']);
    const loaded = await loadPrograms(path, {});
    const [regulars] = loaded.programs;
    assert.ok(regulars !== undefined);
    assert.deepEqual([regulars.list.value, regulars.optIn.value], ['regulars', 'double']);
    const { applying, programs } = harness.consentry;
    await assert.rejects(programs.prepare(loaded, regulars), /regulars/);
    assert.ok(applying.creates(loaded, regulars));
    const { created, optInProcess } = await applying.createList(regulars);
    assert.deepEqual([created, optInProcess], [true, 'double_opt_in']);
    const { request } = await programs.prepare(loaded, regulars);
    assert.notEqual(request.listId, 'regulars');
  });

  it('refuses keys that tell nobody apart, and rows that opt out', async () => {
    const segment = new Segment(harness, 'key: member_id');
    await segment.has('1,ada6@shop.test,', '1,bob6@shop.test,');
    await assert.rejects(segment.start(), (error: unknown) => {
      assert.ok(error instanceof SegmentKeyError && error.code === 'key_twice');
      assert.match(error.message, /such as that of row 2/);
      return true;
    });
    await segment.has('1,ada6@shop.test,', ',bob6@shop.test,');
    await assert.rejects(
      segment.start(),
      /member_id is blank in 1 row of the source, such as row 3/,
    );
    await harness.source(segment.file, [
      'member_id,email,email_consent',
      '1,ada6@shop.test,unsubscribed',
    ]);
    await assert.rejects(segment.start(), SegmentAsksElseError);
    await harness.source(segment.file, ['id,email', '1,ada6@shop.test']);
    await assert.rejects(segment.start(), SourceError);
    await segment.has();
    await assert.rejects(segment.start(), SourceError, 'a source without rows lets nobody leave');
    await segment.has('a1,ada6@shop.test,');
  });

  it('refuses keys of another form than before', async () => {
    const segment = new Segment(harness, 'key: member_id');
    await segment.has('1,ada7@shop.test,');
    await segment.run();
    await segment.has('a1,ada7@shop.test,');
    await assert.rejects(segment.start(), /had only values of the form digits before/);
  });

  it('stops before anything is sent when its brakes forbid it', async () => {
    const emails = Array.from({ length: 60 }, (_, n) => `p${n}-8@shop.test`);
    people.known(...emails);
    const rows = emails.map((email, n) => `${n},${email},`);
    const segment = new Segment(
      harness,
      'key: member_id, leave: { after: 1 run }, brakes: { enter: { people: 59 } }',
    );
    await segment.has(...rows);
    await assert.rejects(segment.start(), /60 people would enter, and brakes.enter.people is 59/);
    await segment.run({ beyondBrakes: true });
    await segment.has(...rows.slice(30));
    await assert.rejects(segment.start(), (error: unknown) => {
      assert.ok(error instanceof SegmentBrakedError);
      assert.match(error.message, /30 people would leave, 50 % of the 60 who were in/);
      return true;
    });
    assert.ok(emails.every((email) => people.isOnList(email)));
    await segment.run({ beyondBrakes: true });
    assert.equal(emails.filter((email) => people.isOnList(email)).length, 30);
  });

  it('forgets whoever is erased, under every address', async () => {
    people.known('ada0@shop.test', 'was0@shop.test');
    const segment = new Segment(harness, 'key: member_id, leave: { after: 3 runs }');
    await segment.has('100,was0@shop.test,', '200,bob0@shop.test,');
    await segment.run();
    await segment.has('100,ada0@shop.test,', '200,bob0@shop.test,');
    await segment.run();
    const { ledger, accountId } = harness;
    // Before that, what it sent may have to be repaired.
    await ledger.pool.query(`update consentry.run set finished_at = now() - interval '1 day'`);
    await ledger.pool.query('update consentry.migration set repairs_noted_at = null');
    await erasePeople(ledger.db, accountId, {
      people: [{ email: 'ada0@shop.test', phoneNumber: null, profileId: null }],
      optOuts: [],
      optOutsOf: () => [],
    });
    for (const table of ['segment_member', 'segment_part']) {
      const { rows } = await ledger.pool.query<{ key: string }>(
        `select key from consentry.${table} where key in ('100', '200')`,
      );
      assert.deepEqual(rows, [{ key: '200' }], table);
    }
    const { rows } = await ledger.pool.query(
      `select from consentry.intent where member_key = '100' and email = 'ada0@shop.test'`,
    );
    assert.equal(rows.length, 0);
  });

  it('changes nothing by a dry run', async () => {
    people.known('ada9@shop.test', 'bob9@shop.test');
    const segment = new Segment(harness, 'key: member_id, leave: { after: 1 run }');
    await segment.has('1,ada9@shop.test,', '2,bob9@shop.test,');
    const { started, found } = await segment.start({ dryRun: true });
    assert.equal(found?.entering, 2);
    await harness.consentry.migrations.waitForEnd(started?.id ?? '');
    const { outcomes } = await segment.run();
    assert.deepEqual(outcomes, { confirmed: 2 });
    await segment.has('1,ada9@shop.test,');
    const planned = await segment.start({ dryRun: true });
    assert.equal(planned.found?.leaving, 1);
    await harness.consentry.migrations.waitForEnd(planned.started?.id ?? '');
    assert.ok(people.isOnList('bob9@shop.test'));
    assert.equal((await segment.run()).leaving, 1);
    assert.ok(!people.isOnList('bob9@shop.test'));
  });
});
