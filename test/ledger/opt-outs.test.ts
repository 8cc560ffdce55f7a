import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Channel, ConsentChannel, Operation } from '../../src/contracts/channels.js';
import {
  answerSubmission,
  assignJobs,
  beginSubmission,
  closeRepairs,
  dueFeeds,
  feedWasRead,
  keepFeed,
  findRepairs,
  findRepairsOf,
  markSubscribed,
  markUnsubscribed,
  noteOptOuts,
  openRepairs,
  openRowsOfJob,
  optOutsOf,
  releaseFeed,
  settleRepaired,
  reportedParts,
  settleParts,
  storeConsentBefore,
  takeFeed,
  waitingParts,
  watchLeft,
  type Begun,
  type Ledger,
  type OptOut,
} from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { LIST_SETTINGS } from '../support/settings.js';
import { store, openTestLedger } from '../support/ledger.js';

const LIST = LIST_SETTINGS.listId;
const SAID_AT = '2026-03-04T05:06:07Z';
const ENDPOINTS: Record<Operation, string> = {
  subscribe: 'bulk_subscribe_profiles',
  unsubscribe: 'bulk_unsubscribe_profiles',
  suppress: 'bulk_suppress_profiles',
  add_to_list: 'bulk_import_profiles',
};

const address = (n: number) => `p${n}@example.com`;
const phone = (n: number) => `+1201555010${n}`;

describe('what the ledger knows of people who said no', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  let made = 0;
  const unique = (what: string) => `${what}-${(made += 1)}`;

  /** A run that asks the same of the first `people`, on each of these channels. */
  async function run(
    accountId: string,
    people: number,
    {
      channels = ['email'],
      operation = 'subscribe',
    }: { channels?: readonly Channel[]; operation?: Operation } = {},
  ): Promise<string> {
    const id = unique('run');
    const rows = Array.from({ length: people }, (_, n) =>
      intent({
        email: address(n),
        phoneNumber: phone(n),
        parts: channels.map((channel) => part({ channel, operation })),
      }),
    );
    await store(ledger, id, rows, {}, accountId);
    await assignJobs(ledger.db, id);
    return id;
  }

  /** A call about people of a run, by their numbers from 0. */
  function begin(
    migrationId: string,
    people: readonly number[],
    {
      operation = 'subscribe',
      channels = ['email'],
    }: { operation?: Operation; channels?: readonly Channel[] } = {},
  ): Promise<Begun> {
    return beginSubmission(ledger.db, {
      migrationId,
      jobNumber: 1,
      takesOut: operation === 'unsubscribe' || operation === 'suppress',
      endpoint: ENDPOINTS[operation],
      now: null,
      parts: people.flatMap((n) => channels.map((channel) => ({ rowNumber: n + 1, channel }))),
    });
  }

  const carriedBy = (begun: Begun): string[] =>
    begun.state === 'begun'
      ? begun.parts.map(({ rowNumber, channel }) => `${rowNumber - 1} ${channel}`).sort()
      : [];

  const no = (n: number, fields: Partial<OptOut> = {}): OptOut => ({
    channel: 'email',
    identifier: fields.channel === undefined || fields.channel === 'email' ? address(n) : phone(n),
    listId: null,
    at: SAID_AT,
    source: 'event',
    ...fields,
  });

  async function reasons(id: string): Promise<string[]> {
    const found: string[] = [];
    for await (const page of reportedParts(ledger.db, id)) {
      found.push(...page.map(({ reason }) => reason ?? 'open'));
    }
    return found;
  }

  const repaired = async (id: string): Promise<string[]> =>
    (await openRepairs(ledger.db, id))
      .map(({ rowNumber, channel }) => `${rowNumber - 1} ${channel}`)
      .sort();

  test('who leaves the list while their membership is on its way is to be taken off it again', async () => {
    const account = unique('account');
    const id = await run(account, 2, { channels: ['list'], operation: 'add_to_list' });
    const begun = await begin(id, [0, 1], { operation: 'add_to_list', channels: ['list'] });
    assert.ok(begun.state === 'begun');
    const accepted = { status: 'accepted', partialFailure: null, requestId: null } as const;
    await answerSubmission(ledger.db, begun.id, accepted);
    assert.ok(((await watchLeft(ledger.db, id, 60_000)) ?? 0) > 0, 'it is watched');
    const at = new Date(Date.now() + 1_000).toISOString();
    await noteOptOuts(ledger.db, account, [no(1, { listId: LIST_SETTINGS.listId, at })]);
    await findRepairs(ledger.db, id);
    assert.deepEqual(await repaired(id), ['1 list']);
  });

  describe('by another run', () => {
    /** The opt-out of its first row from mail was read back ten minutes ago. */
    async function readBackLongAgo(id: string, account: string): Promise<void> {
      await settleParts(ledger.db, id, [
        {
          rowNumber: 1,
          channel: 'email',
          outcome: 'confirmed',
          reason: null,
          settledBy: 'profile_lookup',
          isOptOut: true,
        },
      ]);
      await ledger.pool.query(
        `update consentry.opt_out set shown_at = shown_at - interval '10 minutes'
          where account_id = $1`,
        [account],
      );
    }

    test('who was opted out is not subscribed, though they were read a moment before', async () => {
      const account = unique('account');
      const [a, b] = [await run(account, 2, { operation: 'unsubscribe' }), await run(account, 2)];
      const before = [0, 1].map((n) => ({
        rowNumber: n + 1,
        oneProfile: true,
        parts: [{ channel: 'email', consent: null, at: null } as const],
      }));
      await storeConsentBefore(ledger.db, b, before, 0);
      const out = await begin(a, [0], { operation: 'unsubscribe' });
      assert.deepEqual(carriedBy(out), ['0 email']);
      assert.deepEqual(carriedBy(await begin(b, [0, 1])), ['1 email']);
      assert.deepEqual(await reasons(b), ['opted_out_during_run', 'open']);
    });

    test('who was to be opted out by a call that surely never left is subscribed', async () => {
      const account = unique('account');
      const [a, b] = [await run(account, 1, { operation: 'unsubscribe' }), await run(account, 1)];
      const out = await begin(a, [0], { operation: 'unsubscribe' });
      assert.ok(out.state === 'begun');
      await answerSubmission(ledger.db, out.id, { status: 'not_sent' });
      assert.deepEqual(carriedBy(await begin(b, [0])), ['0 email']);
    });

    test('who was opted out by a call that was made is not, though another never left', async () => {
      const account = unique('account');
      const optsOut = { operation: 'unsubscribe' } as const;
      const [a, b, c] = [
        await run(account, 1, optsOut),
        await run(account, 1, optsOut),
        await run(account, 1),
      ];
      const made = await begin(a, [0], { operation: 'unsubscribe' });
      const unmade = await begin(b, [0], { operation: 'unsubscribe' });
      assert.ok(made.state === 'begun' && unmade.state === 'begun');
      const accepted = { status: 'accepted', partialFailure: null, requestId: null } as const;
      await answerSubmission(ledger.db, made.id, accepted);
      await answerSubmission(ledger.db, unmade.id, { status: 'not_sent' });
      assert.deepEqual(carriedBy(await begin(c, [0])), []);
      assert.deepEqual(await reasons(c), ['opted_out_during_run']);
    });

    test('who came back after an opt-out that was shown is, though an answer to it was lost', async () => {
      const account = unique('account');
      const [a, b] = [await run(account, 1, { operation: 'unsubscribe' }), await run(account, 1)];
      for (const status of ['lost', 'accepted'] as const) {
        const begun = await begin(a, [0], { operation: 'unsubscribe' });
        assert.ok(begun.state === 'begun');
        const answer =
          status === 'lost' ? { status } : { status, partialFailure: null, requestId: null };
        await answerSubmission(ledger.db, begun.id, answer);
      }
      await readBackLongAgo(a, account);
      const before = { rowNumber: 1, oneProfile: true } as const;
      const held = [{ channel: 'email', consent: null, at: null }] as const;
      await storeConsentBefore(ledger.db, b, [{ ...before, parts: held }], 0);
      assert.deepEqual(carriedBy(await begin(b, [0])), ['0 email']);
    });

    test('who was opted out of two channels by a call, and is shown out of one, is still out of the other', async () => {
      const account = unique('account');
      const channels = ['email', 'sms'] as const;
      const [a, b] = [
        await run(account, 1, { channels, operation: 'unsubscribe' }),
        await run(account, 1, { channels }),
      ];
      const begun = await begin(a, [0], { operation: 'unsubscribe', channels });
      assert.ok(begun.state === 'begun');
      const accepted = { status: 'accepted', partialFailure: null, requestId: null } as const;
      await answerSubmission(ledger.db, begun.id, accepted);
      await readBackLongAgo(a, account);
      const held = channels.map((channel) => ({ channel, consent: null, at: null }));
      await storeConsentBefore(ledger.db, b, [{ rowNumber: 1, oneProfile: true, parts: held }], 0);
      assert.deepEqual(carriedBy(await begin(b, [0], { channels })), ['0 email']);
    });

    test('who was opted out in another account is subscribed', async () => {
      const [a, b] = [
        await run(unique('account'), 1, { operation: 'unsubscribe' }),
        await run(unique('account'), 1),
      ];
      await begin(a, [0], { operation: 'unsubscribe' });
      assert.deepEqual(carriedBy(await begin(b, [0])), ['0 email']);
    });

    test('who came back by themselves since is subscribed', async () => {
      const account = unique('account');
      const id = await run(account, 2);
      const before = ['2026-03-04T05:06:06Z', '2026-03-04T05:06:08Z'].map((at, n) => ({
        rowNumber: n + 1,
        oneProfile: true,
        parts: [{ channel: 'email', consent: 'SUBSCRIBED', at } as const],
      }));
      await storeConsentBefore(ledger.db, id, before, 0);
      await noteOptOuts(ledger.db, account, [no(0), no(1)]);
      assert.deepEqual(carriedBy(await begin(id, [0, 1])), ['1 email']);
    });
  });

  for (const [says, optOut, channel, stops] of [
    ['everything', no(0), 'email', true],
    ['everything', no(0), 'list', true],
    ['the run’s list', no(0, { listId: LIST }), 'email', true],
    ['another list', no(0, { listId: 'OTHER1' }), 'email', false],
    ['the run’s list', no(0, { listId: LIST }), 'sms', true],
    [
      'the run’s list, known by number,',
      no(0, { listId: LIST, identifier: phone(0) }),
      'sms',
      true,
    ],
    [
      'the run’s list, known by number,',
      no(0, { listId: LIST, identifier: phone(0) }),
      'push',
      true,
    ],
    ['another list', no(0, { listId: 'OTHER1' }), 'sms', false],
    ['mail', no(0), 'sms', false],
    ['texts', no(0, { channel: 'sms' }), 'sms', true],
    ['texts', no(0, { channel: 'sms' }), 'sms_transactional', true],
    ['texts about orders', no(0, { channel: 'sms_transactional' }), 'sms', true],
    ['texts', no(0, { channel: 'sms' }), 'email', false],
    ['texts to another number', no(1, { channel: 'sms' }), 'sms', false],
  ] as const satisfies readonly [string, OptOut, Channel, boolean][]) {
    test(`no to ${says} ${stops ? 'keeps' : 'does not keep'} ${channel} from being sent`, async () => {
      const account = unique('account');
      const operation = channel === 'list' ? 'add_to_list' : 'subscribe';
      const id = await run(account, 1, { channels: [channel], operation });
      await noteOptOuts(ledger.db, account, [optOut]);
      const begun = await begin(id, [0], { operation, channels: [channel] });
      assert.deepEqual(carriedBy(begun), stops ? [] : [`0 ${channel}`]);
    });
  }

  describe('to the run’s list, which a text would put them back on,', () => {
    const left = (identifier: string) => no(0, { listId: LIST, identifier });

    test('keeps the text of another person from nothing, though a row names both', async () => {
      const account = unique('account');
      const id = await run(account, 1, { channels: ['sms'] });
      const parts = [{ channel: 'sms', consent: null, at: null }] as const;
      await storeConsentBefore(ledger.db, id, [{ rowNumber: 1, oneProfile: false, parts }], 0);
      await noteOptOuts(ledger.db, account, [left(address(0))]);
      assert.deepEqual(carriedBy(await begin(id, [0], { channels: ['sms'] })), ['0 sms']);
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), []);
    });

    test('is repaired where it comes after the call: the list, and not the text', async () => {
      const account = unique('account');
      const id = await run(account, 2, { channels: ['sms'] });
      await begin(id, [0, 1], { channels: ['sms'] });
      await noteOptOuts(ledger.db, account, [left(phone(0)), left(address(0))]);
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), ['0 list']);
      const [repair] = await openRepairs(ledger.db, id, { jobNumber: 1 });
      assert.deepEqual(repair?.leftBy.toSorted(), [address(0), phone(0)].toSorted());
      assert.ok((repair?.sentMsAgo ?? Infinity) < 60_000, 'since the call that carried the text');
      assert.equal(repair?.outcome, null);
    });

    test('is repaired where an answer was lost and the text is not sent again', async () => {
      const account = unique('account');
      const id = await run(account, 1, { channels: ['sms'] });
      const begun = await begin(id, [0], { channels: ['sms'] });
      assert.ok(begun.state === 'begun');
      await answerSubmission(ledger.db, begun.id, { status: 'lost' });
      await noteOptOuts(ledger.db, account, [left(address(0))]);
      assert.deepEqual(carriedBy(await begin(id, [0], { channels: ['sms'] })), []);
      assert.deepEqual(await repaired(id), ['0 list']);
    });
  });

  test('a call is begun in a moment, also where thousands of no have just come in', async () => {
    const account = unique('account');
    const id = await run(account, 1_000);
    // PostgreSQL has not counted the table yet: what it guesses must not matter.
    const { pool } = ledger;
    await pool.query('alter table consentry.opt_out set (autovacuum_enabled = false)');
    await pool.query(
      `insert into consentry.opt_out
          (account_id, identifier, channel, list_id, opted_out_at, source, shown_at)
        select $1, 'other' || n || '@example.com', 'email', '', now(), source, now()
        from generate_series(1, 20000) n,
          unnest(array['submission', 'suppression', 'event']) as source`,
      [account],
    );
    const began = performance.now();
    const begun = await begin(
      id,
      Array.from({ length: 1_000 }, (_, n) => n),
    );
    const tookMs = performance.now() - began;
    assert.equal(carriedBy(begun).length, 1_000);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  });

  test('of one person the newest no is kept, whatever comes in last', async () => {
    const account = unique('account');
    const at = ['2026-03-04T05:00:00Z', '2026-03-04T07:00:00Z', '2026-03-04T06:00:00Z'];
    for (const each of at) await noteOptOuts(ledger.db, account, [no(0, { at: each })]);
    await noteOptOuts(
      ledger.db,
      account,
      at.map((each) => no(1, { at: each })),
    );
    const kept = await optOutsOf(ledger.db, account, [address(0), address(1)]);
    assert.deepEqual(
      kept.map((of) => of.at),
      ['2026-03-04T07:00:00.000Z', '2026-03-04T07:00:00.000Z'],
    );
  });

  describe('a feed', () => {
    const FEED = 'suppressions';
    const from = new Date(SAID_AT);
    const due = (account: string, maxAgeMs: number, waitingMs = 0, rest = 0) =>
      dueFeeds(ledger.db, account, [{ feed: FEED, maxAgeMs, rest }], waitingMs);

    test('is read by one worker at a time, and by another when that one gives it back', async () => {
      const account = unique('account');
      const take = () => takeFeed(ledger.db, account, FEED, from);
      const taken = await Promise.all([take(), take(), take(), take()]);
      assert.equal(taken.filter((of) => of !== null).length, 1);
      assert.equal(await take(), null);
      await releaseFeed(ledger.db, account, FEED);
      assert.deepEqual((await take())?.since, from);
    });

    test('is taken from a worker that has not been heard of for half a minute', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      await ledger.pool.query(
        `update consentry.opt_out_feed set reading_until = reading_until - interval '31 seconds'
          where account_id = $1`,
        [account],
      );
      assert.notEqual(await takeFeed(ledger.db, account, FEED, from), null);
    });

    test('that was given back is not kept by a word that comes late', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      await feedWasRead(ledger.db, account, FEED, { since: from, tookMs: 0 });
      await keepFeed(ledger.db, account, FEED);
      assert.notEqual(await takeFeed(ledger.db, account, FEED, from), null);
    });

    test('is as old as the beginning of its reading, and goes on from there', async () => {
      const account = unique('account');
      assert.deepEqual(await due(account, 60_000), [FEED], 'it was never read');
      await takeFeed(ledger.db, account, FEED, from);
      const since = new Date('2026-03-04T06:00:00Z');
      await feedWasRead(ledger.db, account, FEED, { since, tookMs: 10_000 });
      assert.deepEqual(await due(account, 60_000), []);
      assert.deepEqual(await due(account, 10_000), [FEED]);
      assert.deepEqual((await takeFeed(ledger.db, account, FEED, from))?.since, since);
    });

    test('that was read since somebody waits for it is new enough, however long that took', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      await feedWasRead(ledger.db, account, FEED, { since: from, tookMs: 8_000 });
      assert.deepEqual(await due(account, 5_000, 9_000), []);
      assert.deepEqual(await due(account, 5_000, 7_000), [FEED], 'that reading began too early');
    });

    test('that is long is left alone for some times what it took', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      await feedWasRead(ledger.db, account, FEED, { since: from, tookMs: 60_000 });
      assert.deepEqual(await due(account, 5_000), [FEED]);
      assert.deepEqual(await due(account, 5_000, 0, 9), []);
    });

    test('that could not be read is read from where it was left afterwards', async () => {
      const account = unique('account');
      const take = () => takeFeed(ledger.db, account, FEED, from);
      await take();
      const later = { since: new Date('2026-03-04T07:00:00Z'), tookMs: 0 };
      await feedWasRead(ledger.db, account, FEED, { ...later, unreadable: true });
      assert.deepEqual((await take())?.since, from);
      await feedWasRead(ledger.db, account, FEED, later);
      assert.deepEqual((await take())?.since, later.since);
    });

    test('that the key may not read is asked for again after ten minutes, not before', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      const read = { since: from, tookMs: 0, unreadable: true };
      await feedWasRead(ledger.db, account, FEED, read);
      assert.deepEqual(await due(account, 0), []);
      await ledger.pool.query(
        `update consentry.opt_out_feed set read_at = read_at - interval '11 minutes'
          where account_id = $1`,
        [account],
      );
      assert.deepEqual(await due(account, 0), [FEED]);
    });
  });

  describe('somebody who was sent, and then said no', () => {
    async function sentAndRefused(): Promise<{ account: string; id: string }> {
      const account = unique('account');
      const id = await run(account, 2);
      await begin(id, [0, 1]);
      await noteOptOuts(ledger.db, account, [no(0)]);
      await findRepairs(ledger.db, id);
      return { account, id };
    }

    test('is watched, and settled by nothing else meanwhile', async () => {
      const { id } = await sentAndRefused();
      assert.deepEqual(await repaired(id), ['0 email']);
      const open = await openRowsOfJob(ledger.db, id, 1);
      assert.deepEqual(
        open.map(({ rowNumber }) => rowNumber),
        [2],
      );
      const waiting = await waitingParts(ledger.db, id, [address(0), address(1)], []);
      assert.deepEqual(
        waiting.map(({ rowNumber }) => rowNumber),
        [2],
      );
    });

    test('is not sent again, though the answer was lost', async () => {
      const { id } = await sentAndRefused();
      const { rows } = await ledger.pool.query<{ id: string }>(
        'select id from consentry.submission where migration_id = $1',
        [id],
      );
      await answerSubmission(ledger.db, rows[0]?.id ?? '', { status: 'lost' });
      assert.deepEqual(carriedBy(await begin(id, [0, 1])), ['1 email']);
    });

    test('is watched again when they say no again after all was over', async () => {
      const { account, id } = await sentAndRefused();
      const key = [{ rowNumber: 1, channel: 'email' }] as const;
      await markSubscribed(ledger.db, id, key);
      await markUnsubscribed(ledger.db, id, key);
      await closeRepairs(ledger.db, id, key);
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), [], 'the same no is no news');
      await noteOptOuts(ledger.db, account, [no(0, { at: '2026-03-04T09:00:00Z' })]);
      await findRepairs(ledger.db, id);
      const [again] = await openRepairs(ledger.db, id);
      assert.deepEqual([again?.rowNumber, again?.wasSubscribed], [1, true]);
    });

    test('is found by whoever looked before they said it', async () => {
      const account = unique('account');
      const id = await run(account, 1);
      await begin(id, [0]);
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), []);
      await noteOptOuts(ledger.db, account, [no(0)]);
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), ['0 email']);
    });

    /** Makes it so that the call was made, and the no heard, that long ago. */
    async function long(account: string, id: string, sent: string, heard: string): Promise<void> {
      await ledger.pool.query(
        'update consentry.submission set sent_at = sent_at - $2::interval where migration_id = $1',
        [id, sent],
      );
      await ledger.pool.query(
        `update consentry.opt_out set shown_at = shown_at - $2::interval,
          noted_at = noted_at - $2::interval where account_id = $1`,
        [account, heard],
      );
    }

    const readNow = (id: string, consent: string | null) =>
      storeConsentBefore(
        ledger.db,
        id,
        [{ rowNumber: 1, oneProfile: true, parts: [{ channel: 'email', consent, at: null }] }],
        0,
      );

    test('is found by the first look, though they were read again since', async () => {
      const account = unique('account');
      const id = await run(account, 1);
      await begin(id, [0]);
      await noteOptOuts(ledger.db, account, [no(0)]);
      await long(account, id, '20 minutes', '10 minutes');
      await readNow(id, 'SUBSCRIBED');
      await findRepairs(ledger.db, id);
      assert.deepEqual(await repaired(id), ['0 email']);
    });

    test('is not sent again after a lost answer, though they were read again since', async () => {
      const account = unique('account');
      const id = await run(account, 1);
      const begun = await begin(id, [0]);
      assert.ok(begun.state === 'begun');
      await answerSubmission(ledger.db, begun.id, { status: 'lost' });
      await noteOptOuts(ledger.db, account, [no(0)]);
      await long(account, id, '20 minutes', '10 minutes');
      await readNow(id, 'SUBSCRIBED');
      assert.deepEqual(carriedBy(await begin(id, [0])), []);
      assert.deepEqual(await repaired(id), ['0 email']);
    });

    for (const [heard, isFound] of [
      ['20 seconds', true],
      ['2 minutes', false],
    ] as const) {
      test(`${heard} before the last look is ${isFound ? 'found' : 'left'} by the next`, async () => {
        const account = unique('account');
        const id = await run(account, 1);
        await begin(id, [0]);
        await findRepairs(ledger.db, id);
        await noteOptOuts(ledger.db, account, [no(0)]);
        await long(account, id, '10 minutes', heard);
        await findRepairs(ledger.db, id);
        assert.deepEqual(await repaired(id), isFound ? ['0 email'] : []);
        await findRepairsOf(ledger.db, id, [address(1)]);
        assert.deepEqual(await repaired(id), isFound ? ['0 email'] : []);
        await findRepairsOf(ledger.db, id, [address(0)]);
        assert.deepEqual(await repaired(id), ['0 email'], 'by who it is');
      });
    }

    test('and was read as out ends unconfirmed where they are given up after that', async () => {
      const { id } = await sentAndRefused();
      const end = async (reason: 'unsubscribed_again' | 'opt_out_not_read_back') => {
        const outcome = reason === 'unsubscribed_again' ? 'skipped_opted_out' : 'unconfirmed';
        const settled = { rowNumber: 1, channel: 'email', settledBy: 'profile_lookup' } as const;
        await settleRepaired(ledger.db, id, [{ ...settled, outcome, reason }]);
        const { rows } = await ledger.pool.query<{ reason: string }>(
          `select reason from consentry.intent_part
            where migration_id = $1 and row_number = 1 and channel = 'email'`,
          [id],
        );
        return rows[0]?.reason;
      };
      assert.equal(await end('unsubscribed_again'), 'unsubscribed_again');
      assert.equal(await end('opt_out_not_read_back'), 'opt_out_not_read_back');
      assert.equal(await end('unsubscribed_again'), 'unsubscribed_again', 'read as out at last');
    });

    test('is watched for as long as the call may be applied', async () => {
      const { id } = await sentAndRefused();
      const left = (await watchLeft(ledger.db, id, 60_000)) ?? 0;
      assert.ok(left > 30_000 && left <= 60_000, `${left} ms`);
      assert.equal(await watchLeft(ledger.db, id, 0), 0);
      assert.equal(await watchLeft(ledger.db, await run(unique('account'), 1), 60_000), null);
    });
  });

  describe('in whatever order it is heard, sent and answered', () => {
    const PEOPLE = 3;
    const CHANNELS = ['email', 'sms'] as const;
    type Step =
      | { readonly do: 'no'; readonly who: number; readonly channel: ConsentChannel }
      | { readonly do: 'send'; readonly run: 0 | 1; readonly who: readonly number[] }
      | { readonly do: 'answer'; readonly with: 'accepted' | 'not_sent' | 'refused' | 'lost' }
      /** An opt-out by a third run, at the same time as a subscribe. */
      | { readonly do: 'both'; readonly run: 0 | 1; readonly who: number };
    const who = fc.integer({ min: 0, max: PEOPLE - 1 });
    const which = fc.constantFrom<0 | 1>(0, 1);
    const step = fc.oneof(
      fc.record({ do: fc.constant('no' as const), who, channel: fc.constantFrom(...CHANNELS) }),
      fc.record({
        do: fc.constant('send' as const),
        run: which,
        who: fc.uniqueArray(who, { minLength: 1, maxLength: PEOPLE }),
      }),
      fc.record({
        do: fc.constant('answer' as const),
        with: fc.constantFrom('accepted', 'not_sent', 'refused', 'lost'),
      }),
      fc.record({ do: fc.constant('both' as const), run: which, who }),
    ) as fc.Arbitrary<Step>;

    test('nobody is sent after a no that is known, and whoever was before is watched', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const account = unique('account');
          const runs = [
            await run(account, PEOPLE, { channels: CHANNELS }),
            await run(account, PEOPLE, { channels: CHANNELS }),
          ] as const;
          const third = await run(account, PEOPLE, { operation: 'unsubscribe' });
          const known = new Set<string>();
          /** By run: parts that Klaviyo has or may have. */
          const maybeSent = [new Set<string>(), new Set<string>()] as const;
          const unanswered: { id: string; run: 0 | 1; parts: string[] }[] = [];
          const noteSent = (run: 0 | 1, begun: Begun): string[] => {
            const parts = carriedBy(begun);
            for (const each of parts) maybeSent[run].add(each);
            if (begun.state === 'begun') unanswered.push({ id: begun.id, run, parts });
            return parts;
          };
          for (const [n, step] of steps.entries()) {
            const at = new Date(Date.parse(SAID_AT) + n * 1_000).toISOString();
            switch (step.do) {
              case 'no':
                await noteOptOuts(ledger.db, account, [
                  no(step.who, { channel: step.channel, at }),
                ]);
                known.add(`${step.who} ${step.channel}`);
                break;
              case 'send': {
                const before = new Set(known);
                const begun = await begin(runs[step.run], step.who, { channels: CHANNELS });
                const against = noteSent(step.run, begun).filter((each) => before.has(each));
                assert.deepEqual(against, []);
                break;
              }
              case 'both': {
                const [, begun] = await Promise.all([
                  begin(third, [step.who], { operation: 'unsubscribe' }),
                  begin(runs[step.run], [step.who], { channels: CHANNELS }),
                ]);
                noteSent(step.run, begun);
                known.add(`${step.who} email`);
                break;
              }
              case 'answer': {
                const call = unanswered.pop();
                if (call === undefined) break;
                const details = { partialFailure: null, requestId: null };
                const { with: status } = step;
                await answerSubmission(
                  ledger.db,
                  call.id,
                  status === 'accepted' ? { status, ...details } : { status },
                );
                if (status === 'accepted' || status === 'lost') break;
                for (const each of call.parts) maybeSent[call.run].delete(each);
              }
            }
          }
          for (const run of [0, 1] as const) {
            await findRepairs(ledger.db, runs[run]);
            const expected = [...maybeSent[run]].filter((each) => known.has(each)).sort();
            const watched = await repaired(runs[run]);
            const missing = expected.filter((each) => !watched.includes(each));
            assert.deepEqual(missing, [], 'sent against a no, and not watched');
          }
        }),
        { numRuns: 40 },
      );
    });
  });
});
