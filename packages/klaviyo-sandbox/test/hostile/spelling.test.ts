import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { unsubscribe } from '../consent/consent-support.js';
import { importInto } from '../profiles/import-support.js';
import { create, created, errorOf, profileOf, update, upsert } from '../profiles/profiles.js';
import { call, get, HOUR, row, sandboxFor, subscribe } from '../support.js';

const WRITTEN = 'Ada.Ash@Shop.test';
const LOWER = 'ada.ash@shop.test';
const OTHER = 'ADA.ASH@shop.test';
const OUT = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };

async function emails(sandbox: Sandbox, path = '/api/profiles'): Promise<unknown[]> {
  return (await get(sandbox, path)).data.map(({ attributes }) => attributes['email']);
}

const suppress = (sandbox: Sandbox, email: string) =>
  call(sandbox, 'POST', '/api/profile-suppression-bulk-create-jobs', {
    data: {
      type: 'profile-suppression-bulk-create-job',
      attributes: { profiles: { data: [{ type: 'profile', attributes: { email } }] } },
    },
  });

/** Every way in which a person gets an address. */
const WAYS: Record<string, (sandbox: Sandbox, email: string) => unknown> = {
  'a seed': (sandbox, email) => sandbox.account.seed({ email }),
  'a subscribe': (sandbox, email) => subscribe(sandbox, [row({ email })], { list: 'Single' }),
  'a double opt-in': async (sandbox, email) => {
    await subscribe(sandbox, [row({ email })], { list: 'Double' });
    sandbox.account.advance(HOUR);
    sandbox.account.click({ email });
  },
  'an unsubscribe': (sandbox, email) => unsubscribe(sandbox, [{ email, subscriptions: OUT }]),
  'a bulk import': (sandbox, email) => importInto(sandbox, 'Single', [{ email }]),
  'a create': (sandbox, email) => create(sandbox, { email }),
  'an upsert': (sandbox, email) => upsert(sandbox, { email }),
  'a suppress': suppress,
  'an address for a number': async (sandbox, email) => {
    const phone_number = '+12015550123';
    sandbox.account.seed({ phone_number });
    await subscribe(sandbox, [row({ email, phone_number })], { list: 'Single' });
  },
};

describe('an address that is not written in lower case', () => {
  for (const [name, way] of Object.entries(WAYS)) {
    it(`is kept in lower case by default, by ${name}`, async (t) => {
      const sandbox = await sandboxFor(t);
      await way(sandbox, WRITTEN);
      sandbox.account.advance(5 * HOUR);
      assert.deepEqual(await emails(sandbox), [LOWER]);
    });

    it(`is kept as it was first written if the switch says so, by ${name}`, async (t) => {
      const sandbox = await sandboxFor(t, { switches: { storedEmails: 'as_written' } });
      await way(sandbox, WRITTEN);
      sandbox.account.advance(5 * HOUR);
      assert.deepEqual(await emails(sandbox), [WRITTEN]);
      assert.equal(sandbox.account.truthFor({ email: OTHER })?.email, WRITTEN);
      for (const again of Object.values(WAYS)) await again(sandbox, OTHER);
      sandbox.account.advance(5 * HOUR);
      const found = (await emails(sandbox)).filter((email) => email !== null);
      assert.deepEqual(found, [WRITTEN], 'it stays one person, and as it was');
    });
  }

  it('is a duplicate in any spelling', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { storedEmails: 'as_written' } });
    const id = await created(sandbox, { email: WRITTEN });
    const other = await created(sandbox, { email: 'bea@shop.test' });
    for (const answer of [
      await create(sandbox, { email: OTHER }),
      await update(sandbox, other, { email: LOWER }),
    ]) {
      assert.equal(answer.status, 409);
      const { meta } = await errorOf(answer);
      assert.deepEqual(meta, { duplicate_profile_id: id });
    }
  });

  it('has a spelling that follows later changes', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { storedEmails: 'as_written' } });
    const id = await created(sandbox, { email: WRITTEN });
    const append = { email: ['Second@Shop.test'] };
    const meta = { patch_identifiers: { append } };
    const shown = async (answer: Response) =>
      (await profileOf(answer, 200)).data.attributes['email'];
    assert.equal(
      await shown(await update(sandbox, id, { email: 'ADA2@shop.test' })),
      'ADA2@shop.test',
    );
    assert.equal(await shown(await update(sandbox, id, {}, { meta })), 'ADA2@shop.test');
    const swapped = await update(sandbox, id, { email: 'SECOND@shop.test' });
    assert.equal(await shown(swapped), 'Second@Shop.test', 'the secondary one, as it was written');
    const back = await update(sandbox, id, { email: 'ada2@shop.test' });
    assert.equal(await shown(back), 'ADA2@shop.test');
    const heir = await created(sandbox, { phone_number: '+12015550123' });
    const { account } = sandbox;
    const numbers = [id, heir].map((one) => account.profiles.withId(one)!);
    account.identities.merge(numbers[0]!, numbers[1]!, 'destination');
    assert.deepEqual(await emails(sandbox), ['ADA2@shop.test']);
  });
});

const BY = (email: string) => `filter=any(email,["${email}","nobody@shop.test"])`;
const EQUALS = (email: string) => `filter=equals(email,"${email}")`;
const SPELLINGS = [WRITTEN, LOWER, OTHER];

/** The spellings that find somebody whose address was written as `WRITTEN`. */
const FOUND = {
  'insensitive lower_case': SPELLINGS,
  'insensitive as_written': SPELLINGS,
  'sensitive lower_case': [LOWER],
  'sensitive as_written': [WRITTEN],
};
for (const [switches, spellings] of Object.entries(FOUND)) {
  const [filterCase, storedEmails] = switches.split(' ') as ['sensitive', 'as_written'];
  test(`a filter that is ${filterCase} with addresses ${storedEmails}`, async (t) => {
    const segment = { id: 'Vip', name: 'Vip', where: { property: 'vip', equals: true } };
    const sandbox = await sandboxFor(t, {
      switches: { filterCase, storedEmails },
      segments: [segment],
    });
    sandbox.account.seed({ email: WRITTEN, lists: ['Single'], properties: { vip: true } });
    sandbox.account.seed({ email: 'bea@shop.test', lists: ['Single'], properties: { vip: true } });
    sandbox.account.advance(HOUR);
    for (const place of ['/api', '/api/lists/Single', '/api/segments/Vip']) {
      for (const filter of [BY, EQUALS]) {
        const finding: string[] = [];
        for (const email of SPELLINGS) {
          const found = await emails(sandbox, `${place}/profiles?${filter(email)}`);
          if (found.length > 0) finding.push(email);
        }
        assert.deepEqual(finding, spellings, `${place} ${filter('')}`);
      }
    }
  });
}
