import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  beginMirror,
  completeMirror,
  forgetPeople,
  mirrorOf,
  rememberedPeople,
  rememberPeople,
  type Ledger,
  type MirroredProfile,
} from '../../src/ledger/index.js';
import { openTestLedger } from '../support/ledger.js';

const profile = (n: number): MirroredProfile => ({
  id: `P${n}`,
  email: emailOf(n),
  phoneNumber: null,
  saysNo: true,
  consent: {},
});
const emailOf = (n: number) => `p${n}@example.com`;
/** By the clock that the ledger and this test share. */
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const asked = (n: number) => ({ spelling: emailOf(n), identifier: emailOf(n) });

describe('the mirror of an account', { timeout: 60_000 }, () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger({ connections: 8 });
  });
  after(() => ledger.close());

  test('does not forget what a whole reading showed if two clocks drift apart', async () => {
    const { db } = ledger;
    const accountId = 'drift';
    await beginMirror(db, accountId, { since: new Date(), tookMs: 0 });
    await rememberPeople(db, accountId, { profiles: [profile(1)], addresses: [], readAt: ago(0) });
    // By the worker's clock, the reading began after that.
    await completeMirror(db, accountId, ago(-1_000));
    const remembered = await rememberedPeople(db, accountId, [asked(1)]);
    assert.equal(remembered.get(emailOf(1))?.profiles.length, 1);
    assert.equal((await mirrorOf(db, accountId))?.saysNo, true);
  });

  test('forgets who is gone without waiting for those who look people up', async () => {
    const { db, pool } = ledger;
    const accountId = 'gone';
    const hour = 3_600_000;
    const [first, second] = [emailOf(1), emailOf(2)];
    await beginMirror(db, accountId, { since: new Date(), tookMs: 2 * hour });
    const both = { profiles: [profile(1), profile(2)], addresses: [first, second] };
    await rememberPeople(db, accountId, { ...both, readAt: ago(hour) });
    const other = await pool.connect();
    try {
      await other.query('begin');
      const lock = 'select from consentry.profile where account_id = $1 and profile_id = $2';
      await other.query(`${lock} for update`, [accountId, 'P2']);
      await db.transaction().execute(async (tx) => completeMirror(tx, accountId, ago(0)));
      await other.query('commit');
    } finally {
      other.release();
    }
    const remembered = await rememberedPeople(db, accountId, [asked(1), asked(2)]);
    assert.deepEqual([...remembered.keys()], [second]);
  });

  test('has an address looked up again that a profile no longer has', async () => {
    const { db } = ledger;
    const accountId = 'moved';
    const hers = { ...profile(1), phoneNumber: '+12015550101' };
    const addresses = [emailOf(1), '+12015550101', emailOf(2)];
    await rememberPeople(db, accountId, { profiles: [hers], addresses, readAt: ago(0) });
    const moved = { ...hers, email: emailOf(3), phoneNumber: null };
    await rememberPeople(db, accountId, { profiles: [moved], addresses: [], readAt: ago(0) });
    const remembered = await rememberedPeople(
      db,
      accountId,
      addresses.map((each) => ({ spelling: each, identifier: each })),
    );
    assert.deepEqual([...remembered.keys()], [emailOf(2)]);
  });

  test('is up to date where an opt-out shows that profiles do not', async () => {
    const { db, pool } = ledger;
    const accountId = 'opt-outs';
    await beginMirror(db, accountId, { since: new Date(), tookMs: 0 });
    assert.equal((await mirrorOf(db, accountId))?.saysNo, false);
    await pool.query(
      `insert into consentry.opt_out (account_id, identifier, channel, list_id, opted_out_at, source)
        values ($1, $2, 'email', '', now(), 'suppression')`,
      [accountId, emailOf(1)],
    );
    assert.equal((await mirrorOf(db, accountId))?.saysNo, true);
  });

  test('knows of a profile that says no to mail and shows no address', async () => {
    const { db } = ledger;
    const accountId = 'nameless';
    await beginMirror(db, accountId, { since: new Date(), tookMs: 0 });
    const texts = { ...profile(1), email: null, consent: { sms: { is: 'UNSUBSCRIBED' } } };
    await rememberPeople(db, accountId, { profiles: [texts], addresses: [], readAt: ago(0) });
    assert.equal((await mirrorOf(db, accountId))?.namelessSaysNo, false);
    const mails = { ...profile(2), email: null, consent: { email: { is: 'UNSUBSCRIBED' } } };
    await rememberPeople(db, accountId, { profiles: [mails], addresses: [], readAt: ago(0) });
    assert.equal((await mirrorOf(db, accountId))?.namelessSaysNo, true);
  });

  test('forgets what is too old', async () => {
    const { db, pool } = ledger;
    const accountId = 'old';
    const hour = 3_600_000;
    await beginMirror(db, accountId, { since: new Date(), tookMs: 3 * hour });
    const read = (n: number, ms: number) =>
      rememberPeople(db, accountId, {
        profiles: [profile(n)],
        addresses: [emailOf(n)],
        readAt: ago(ms),
      });
    await read(1, 2 * hour);
    await read(2, hour / 2);
    await forgetPeople(db, accountId, hour);
    const { rows } = await pool.query(
      `select (select count(*)::int from consentry.profile where account_id = $1) as profiles,
        (select count(*)::int from consentry.looked_up where account_id = $1) as addresses`,
      [accountId],
    );
    assert.deepEqual(rows, [{ profiles: 1, addresses: 1 }]);
    const remembered = await rememberedPeople(db, accountId, [asked(1), asked(2)]);
    assert.deepEqual([...remembered.keys()], [emailOf(2)]);
  });
});
