import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ConsentChannel } from '../../../src/contracts/channels.js';
import {
  answerSubmission,
  closeRepairs,
  findRepairs,
  findRepairsOf,
  markSubscribed,
  markUnsubscribed,
  noteOptOuts,
  openRepairs,
  openRowsOfJob,
  settleRepaired,
  storeConsentBefore,
  waitingParts,
  watchLeft,
  type Begun,
  type Ledger,
} from '../../../src/ledger/index.js';
import { openTestLedger } from '../../support/ledger.js';
import { address, runsIn, SAID_AT } from './runs.js';

describe('what the ledger knows of people who said no', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  const { unique, run, begin, carriedBy, no, repaired } = runsIn(() => ledger);

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
          `select reason from consentry.part
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
