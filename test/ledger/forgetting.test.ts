import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  beginMirror,
  completeMirror,
  erasePeople,
  forgetProfiles,
  ledgerTime,
  mirrorOf,
  rememberPeople,
  type Ledger,
  type MirroredProfile,
} from '../../src/ledger/index.js';
import { openTestLedger } from '../support/ledger.js';

const profile = (
  id: string,
  email: string,
  phoneNumber: string | null = null,
): MirroredProfile => ({
  id,
  email,
  phoneNumber,
  saysNo: false,
  consent: {},
});

describe('people whom the mirror forgets', { timeout: 60_000 }, () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  /** A mirror that has read the whole account. */
  async function account(accountId: string) {
    const { db, pool } = ledger;
    const began = await ledgerTime(db);
    await beginMirror(db, accountId, { since: new Date(), tookMs: 0 });
    await completeMirror(db, accountId, began);
    return {
      began,
      isComplete: async () => (await mirrorOf(db, accountId))?.complete,
      async read(
        profiles: readonly MirroredProfile[],
        addresses: readonly string[],
        readAt?: string,
      ) {
        const read = { profiles, addresses, readAt: readAt ?? (await ledgerTime(db)) };
        await rememberPeople(db, accountId, read);
      },
      /** Ids of profiles, and which of these addresses count as looked up. */
      async knows(...addresses: readonly string[]) {
        const { rows: profiles } = await pool.query<{ profile_id: string }>(
          'select profile_id from consentry.profile where account_id = $1 order by 1',
          [accountId],
        );
        const { rows: known } = await pool.query<{ address: string }>(
          `select a.address from unnest($2::text[]) with ordinality as a (address, n)
            join consentry.looked_up l on l.account_id = $1 and l.address = md5(a.address)::uuid
            order by n`,
          [accountId, addresses],
        );
        return [
          ...profiles.map(({ profile_id: id }) => id),
          ...known.map(({ address }) => address),
        ];
      },
      /** As a sync finds somebody gone, whose mail was this when it was last written. */
      forget: (profileId: string, email: string | null) =>
        forgetProfiles(db, accountId, [{ profileId, email, phoneNumber: null }]),
    };
  }

  /** A reading that was asked for before anything else happens. */
  async function askedBefore(): Promise<string> {
    const readAt = await ledgerTime(ledger.db);
    // The ledger's time has milliseconds.
    await ledger.pool.query('select pg_sleep(0.002)');
    return readAt;
  }

  test('have no row left, also beside others, and their addresses are looked up again', async () => {
    const mirror = await account('rows');
    const spelled = ['A@example.com', 'a@example.com', '+12015550101', 'also-a@example.com'];
    const others = ['aa@example.com'];
    await mirror.read(
      [
        profile('P1', 'a@example.com', '+12015550101'),
        profile('P1 ["also-a@example.com",null]', 'also-a@example.com'),
        profile('P11', 'aa@example.com'),
        profile('P11 ["b@example.com",null]', 'b@example.com'),
      ],
      [...spelled, ...others],
    );
    await mirror.forget('P1', 'A@example.com');
    assert.deepEqual(await mirror.knows(...spelled, ...others), [
      'P11',
      'P11 ["b@example.com",null]',
      ...others,
    ]);
  });

  test('leave a complete mirror complete only if all their addresses were looked up', async () => {
    const mirror = await account('complete');
    await mirror.read([profile('P1', 'a@example.com'), profile('P2', 'new-b@example.com')], []);
    await mirror.forget('P1', 'A@example.com');
    assert.equal(await mirror.isComplete(), true);
    await mirror.forget('P2', 'b@example.com');
    assert.equal(await mirror.isComplete(), false);
  });

  test('are not added by a page that was read before, and whoever else is new in it is missed', async () => {
    const { db } = ledger;
    const mirror = await account('late');
    await mirror.read(
      [profile('P1', 'a@example.com'), profile('P2', 'b@example.com')],
      ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com'],
    );
    const readAt = await askedBefore();
    await mirror.forget('P1', 'a@example.com');
    const page = [
      profile('P1', 'a@example.com'),
      profile('P2', 'new-b@example.com'),
      profile('P3', 'c@example.com'),
    ];
    await mirror.read([profile('P2', 'new-b@example.com')], ['e@example.com'], readAt);
    assert.equal(await mirror.isComplete(), true, 'nobody was missed');
    await mirror.read(page, ['a@example.com'], readAt);
    const asked = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`);
    assert.deepEqual(await mirror.knows(...asked), ['P2', 'd@example.com']);
    assert.equal(await mirror.isComplete(), false);

    // What is read from now on is remembered, and a whole reading that began before was not whole.
    await completeMirror(db, 'late', readAt);
    assert.equal(await mirror.isComplete(), false);
    await mirror.read([profile('P3', 'c@example.com')], ['c@example.com']);
    assert.deepEqual(await mirror.knows(...asked), ['P2', 'P3', 'c@example.com', 'd@example.com']);
    await askedBefore();
    await completeMirror(db, 'late', await ledgerTime(db));
    assert.equal(await mirror.isComplete(), true);
  });

  test('are not added by a page that was read before their erasure', async () => {
    const { db } = ledger;
    for (const profileId of ['P1', null]) {
      const accountId = `erased ${String(profileId)}`;
      const mirror = await account(accountId);
      const page = [profile('P1', 'a@example.com'), profile('P1 [x]', 'also-a@example.com')];
      const addresses = ['a@example.com', 'also-a@example.com'];
      await mirror.read(page, addresses);
      const readAt = await askedBefore();
      const people = [{ email: 'a@example.com', phoneNumber: null, profileId }];
      await erasePeople(db, accountId, { people, optOuts: [], optOutsOf: () => [] });
      await mirror.read(page, addresses, readAt);
      const also = profileId === null ? ['P1 [x]', 'also-a@example.com'] : [];
      assert.deepEqual(await mirror.knows(...addresses), also);
      assert.equal(await mirror.isComplete(), false);
    }
  });

  test('are found though somebody is just remembering them', async () => {
    const { db, pool } = ledger;
    const mirror = await account('meanwhile');
    const remembering = await pool.connect();
    try {
      const readAt = await askedBefore();
      await remembering.query('begin');
      await remembering.query("select consentry.is_of_before_forgetting('meanwhile', $1)", [
        readAt,
      ]);
      const forgotten = mirror.forget('P1', 'a@example.com');
      await waiting(1);
      await remembering.query(
        `insert into consentry.profile (account_id, profile_id, email, says_no, consent, read_at)
          values ('meanwhile', 'P1', 'a@example.com', false, '{}', $1)`,
        [readAt],
      );
      await remembering.query('commit');
      await forgotten;
      assert.deepEqual(await mirror.knows(), []);
    } finally {
      remembering.release();
    }
    // The other way round.
    await mirror.read([profile('P2', 'b@example.com')], []);
    const readAt = await askedBefore();
    let read: Promise<void> | undefined;
    await db.transaction().execute(async (tx) => {
      await forgetProfiles(tx, 'meanwhile', [
        { profileId: 'P2', email: 'b@example.com', phoneNumber: null },
      ]);
      read = mirror.read([profile('P2', 'b@example.com')], ['b@example.com'], readAt);
      await waiting(1);
    });
    await read;
    assert.deepEqual(await mirror.knows('b@example.com'), []);
  });

  test('are not remembered by what was read before the clock went back', async () => {
    const { pool } = ledger;
    const mirror = await account('clock');
    await mirror.forget('P1', 'a@example.com');
    const ahead = new Date(Date.now() + 3_600_000).toISOString();
    await mirror.read([profile('P1', 'a@example.com')], ['a@example.com'], ahead);
    assert.deepEqual(await mirror.knows('a@example.com'), []);
    // What was forgotten in the future was so before the clock went back.
    await pool.query(`update consentry.forgetting set forgot_at = $1 where account_id = 'clock'`, [
      ahead,
    ]);
    await mirror.read([profile('P2', 'b@example.com')], []);
    assert.deepEqual(await mirror.knows(), ['P2']);
  });

  /** Until so many wait for an advisory lock. */
  async function waiting(count: number): Promise<void> {
    for (;;) {
      const { rows } = await ledger.pool.query<{ n: number }>(
        `select count(*)::int as n from pg_locks
          where locktype = 'advisory' and not granted
            and database = (select oid from pg_database where datname = current_database())`,
      );
      if ((rows[0]?.n ?? 0) >= count) return;
    }
  }
});
