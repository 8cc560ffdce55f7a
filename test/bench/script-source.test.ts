import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startSandbox, type Sandbox, type SeedProfile } from 'klaviyo-sandbox';
import { countWrongRows, knownBefore } from '../../bench/scenarios/script/source.js';

const ROWS = 200;

describe('the rows of the comparison with a script', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await startSandbox({});
    for (const profile of knownBefore(ROWS)) sandbox.account.seed(profile);
  });
  after(() => sandbox.close());

  const wrong = () => countWrongRows(ROWS, [...sandbox.account.truth()]);
  const seed = (profile: SeedProfile) => sandbox.account.seed(profile);

  it('are wrong only where consent is missing, before anybody is brought there', () => {
    const { consented, all, ...others } = wrong();
    assert.deepEqual(others, { 'opted out': 0, suppressed: 0, invalid: 0 });
    assert.ok(consented > 100);
    assert.equal(all, consented);
  });

  it('are right once those who consented are subscribed, and both rows of a person count', () => {
    const missing = wrong().consented;
    seed({ email: 'p48@shop.example', email_consent: 'SUBSCRIBED' });
    assert.equal(wrong().consented, missing - 2);
    seed({ email: 'p1@shop.example', email_consent: 'SUBSCRIBED' });
    assert.equal(wrong().consented, missing - 3);
  });

  it('are wrong if somebody who opted out is subscribed, or an address that is none exists', () => {
    seed({ email: 'p9@shop.example', email_consent: 'SUBSCRIBED' });
    assert.equal(wrong()['opted out'], 1);
    seed({ email: 'p11@shop.example', email_consent: 'SUBSCRIBED' });
    assert.equal(wrong().suppressed, 1);
  });
});
