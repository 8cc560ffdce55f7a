import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import {
  grantCall,
  penalise,
  type Grant,
  type GrantRequest,
  type Ledger,
} from '../../src/ledger/index.js';
import { openTestLedger } from '../support/ledger.js';

describe('the account limiter', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const request = (account: string): GrantRequest => ({
    account,
    endpoint: 'get_profiles',
    burst: 5,
    steady: 100,
    maxWaitMs: 600_000,
  });
  const ask = (account: string, fields: Partial<GrantRequest>) =>
    grantCall(ledger.db, { ...request(account), ...fields });

  async function grantedAt(account: string): Promise<number[]> {
    const { rows } = await sql<{ at: string }>`
      select extract(epoch from granted_at) * 1000 as at from consentry.granted_call
      where account = ${account} order by granted_at`.execute(ledger.db);
    return rows.map((row) => Number(row.at));
  }

  /** The most calls in any window of this length, wherever it begins. */
  function densest(moments: readonly number[], windowMs: number): number {
    return Math.max(
      ...moments.map((from) => moments.filter((at) => at >= from && at < from + windowMs).length),
    );
  }

  test('no second and no minute holds more calls than allowed, asked by many at once', async () => {
    await Promise.all(Array.from({ length: 40 }, () => ask('dense', { burst: 5, steady: 12 })));
    const moments = await grantedAt('dense');
    assert.equal(moments.length, 40);
    assert.equal(densest(moments, 999.9), 5);
    assert.equal(densest(moments, 59_999.9), 12);
  });

  test('uses the whole allowance: the first burst is free at once', async () => {
    const grants: Grant[] = [];
    for (let n = 0; n < 6; n++) grants.push(await ask('burst', {}));
    assert.deepEqual(
      grants.slice(0, 5).map(({ waitMs }) => waitMs),
      [0, 0, 0, 0, 0],
    );
    const [first = 0, , , , , sixth = 0] = await grantedAt('burst');
    assert.ok(sixth - first >= 1_000, `the sixth came ${sixth - first} ms after the first`);
  });

  test('does not reserve a call that is further away than the caller waits', async () => {
    for (let n = 0; n < 5; n++) await ask('far', { steady: 5 });
    const grant = await ask('far', { steady: 5, maxWaitMs: 0 });
    assert.equal(grant.granted, false);
    assert.ok(grant.waitMs > 0 && grant.waitMs <= 60_500, `waits ${grant.waitMs} ms`);
    assert.equal((await grantedAt('far')).length, 5);
  });

  test('a call that waits for its run’s share is not reserved, and holds nobody up', async () => {
    const run = { id: 'slow', burst: 2, steady: 50 };
    const slow = () =>
      grantCall(ledger.db, { ...request('aside'), burst: 20, maxWaitMs: 600_000, run });
    const grants = [await slow(), await slow(), await slow()];
    assert.deepEqual(
      grants.map(({ granted }) => granted),
      [true, true, false],
    );
    const { waitMs = 0 } = grants[2] ?? {};
    assert.ok(waitMs > 0 && waitMs <= 1_100, `waits ${waitMs} ms`);
    assert.deepEqual(await ask('aside', { burst: 20 }), { granted: true, waitMs: 0 });
    assert.equal((await grantedAt('aside')).length, 3);
  });

  test('a run whose share is free waits its turn where the account’s calls are used up', async () => {
    for (let n = 0; n < 5; n++) await ask('full', {});
    const run = { id: 'patient', burst: 2, steady: 50 };
    const grant = await grantCall(ledger.db, { ...request('full'), run });
    assert.equal(grant.granted, true);
    assert.ok(grant.waitMs > 1_000 && grant.waitMs <= 1_100, `waits ${grant.waitMs} ms`);
  });

  test('a 429 stops everybody for as long as Klaviyo says', async () => {
    await penalise(ledger.db, 'penalised', 'get_profiles', 30_000);
    await penalise(ledger.db, 'penalised', 'get_profiles', 1_000);
    const grant = await ask('penalised', { maxWaitMs: 5_000 });
    assert.equal(grant.granted, false);
    assert.ok(grant.waitMs > 25_000, `waits ${grant.waitMs} ms`);
  });
});
