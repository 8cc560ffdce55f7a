import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Channel } from '../../../src/contracts/channels.js';
import {
  answerSubmission,
  beginSubmission,
  findRepairs,
  noteOptOuts,
  openRepairs,
  optOutsOf,
  settleParts,
  storeConsentBefore,
  watchLeft,
  type Ledger,
  type OptOut,
} from '../../../src/ledger/index.js';
import { LIST_SETTINGS } from '../../support/settings.js';
import { openTestLedger } from '../../support/ledger.js';
import { address, phone, runsIn } from './runs.js';

const LIST = LIST_SETTINGS.listId;

describe('what the ledger knows of people who said no', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  const { unique, run, begin, carriedBy, no, reasons, repaired } = runsIn(() => ledger);

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

  test('an unsubscribe from the list counts under both identifiers, and is shown under both', async () => {
    const account = unique('account');
    const id = await run(account, 1, { operation: 'unsubscribe' });
    const begun = await beginSubmission(ledger.db, {
      migrationId: id,
      jobNumber: 1,
      bringsIn: false,
      optsOutOf: { listId: LIST },
      asks: null,
      endpoint: 'bulk_unsubscribe_profiles',
      now: null,
      parts: [{ rowNumber: 1, channel: 'email' }],
    });
    assert.ok(begun.state === 'begun');
    const known = await optOutsOf(ledger.db, account, [address(0), phone(0)]);
    assert.deepEqual(
      known.map(({ identifier, channel, listId }) => [identifier, channel, listId]).sort(),
      [
        [phone(0), 'email', LIST],
        [address(0), 'email', LIST],
      ].sort(),
    );
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
    const { rows } = await ledger.pool.query(
      'select identifier from consentry.opt_out where account_id = $1 and shown_at is null',
      [account],
    );
    assert.deepEqual(rows, []);
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
});
