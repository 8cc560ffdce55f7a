import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  dueFeeds,
  feedWasRead,
  feedWasReadElsewhere,
  keepFeed,
  releaseFeed,
  takeFeed,
  type Ledger,
} from '../../src/ledger/index.js';
import { openTestLedger } from '../support/ledger.js';
import { runsIn, SAID_AT } from './opt-outs/runs.js';

describe('what the ledger knows of people who said no', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  const { unique } = runsIn(() => ledger);

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
        `update consentry.account_feed set reading_until = reading_until - interval '31 seconds'
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

    test('is due when it seems to be read in the future: the clock has gone back', async () => {
      const account = unique('account');
      await takeFeed(ledger.db, account, FEED, from);
      await feedWasRead(ledger.db, account, FEED, { since: from, tookMs: 0 });
      assert.deepEqual(await due(account, 60_000), []);
      await ledger.pool.query(
        `update consentry.account_feed set read_at = now() + interval '1 hour' where account_id = $1`,
        [account],
      );
      assert.deepEqual(await due(account, 60_000), [FEED]);
    });

    test('goes on from where somebody else has read it, unless they left a gap', async () => {
      const account = unique('account');
      const MINUTE = 60_000;
      const at = (minutes: number) => new Date(from.getTime() + minutes * MINUTE);
      const elsewhere = (begun: number, until: number) =>
        feedWasReadElsewhere(ledger.db, account, FEED, {
          from: at(begun),
          until: at(until),
          lateMs: 5 * MINUTE,
          tookMs: 0,
        });
      const since = async () => {
        const taken = await takeFeed(ledger.db, account, FEED, from);
        await releaseFeed(ledger.db, account, FEED);
        return taken?.since;
      };
      await takeFeed(ledger.db, account, FEED, at(10));
      await elsewhere(0, 20);
      await releaseFeed(ledger.db, account, FEED);
      assert.deepEqual(await since(), at(10), 'it is not known since when it is whole');
      await takeFeed(ledger.db, account, FEED, at(10));
      await feedWasRead(ledger.db, account, FEED, { since: at(10), tookMs: 0, wholeMs: 0 });
      await elsewhere(6, 20);
      assert.deepEqual(await since(), at(10), 'between 5 and 6 something may be missing');
      await elsewhere(5, 20);
      assert.deepEqual(await since(), at(20));
      await elsewhere(0, 15);
      assert.deepEqual(await since(), at(20), 'an older reading does not take it back');
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
        `update consentry.account_feed set read_at = read_at - interval '11 minutes'
          where account_id = $1`,
        [account],
      );
      assert.deepEqual(await due(account, 0), [FEED]);
    });
  });
});
