import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FICTION_PHONES, fictionPhone } from '../../src/people/fiction-phones.js';
import { people, type Population } from '../../src/people/generator.js';
import type { SeedProfile } from '../../src/index.js';
import { phoneVerdict } from '../../src/phone.js';
import { ask, linesOf, refused } from '../control/control-support.js';
import { sandboxFor } from '../support.js';

const NOW = Date.UTC(2026, 0, 1);

function invent(population: Population, seed = 1): SeedProfile[] {
  const next = { person: 0, phone: 0 };
  return [...people(population, { seed, lists: ['A', 'B'], now: NOW, next })];
}

const shareOf = (all: readonly SeedProfile[], is: (person: SeedProfile) => boolean): number =>
  all.filter(is).length / all.length;

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 0.02, `${actual} is not about ${expected}`);
}

test('people are generated in the given shares', () => {
  const all = invent({
    profiles: 10_000,
    email_share: 0.8,
    phone_share: 0.5,
    subscribed_share: 0.5,
    unsubscribed_share: 0.2,
    hard_bounce_share: 0.1,
    user_suppressed_share: 0.05,
    sms_subscribed_share: 0.4,
    list_share: 0.25,
  });
  const mailed = all.filter(({ email }) => email !== undefined);
  const texted = all.filter(({ phone_number }) => phone_number !== undefined);
  near(mailed.length / all.length, 0.8);
  near(
    shareOf(mailed, ({ phone_number }) => phone_number !== undefined),
    0.5,
  );
  near(
    shareOf(mailed, ({ email_consent }) => email_consent === 'SUBSCRIBED'),
    0.5,
  );
  near(
    shareOf(mailed, ({ email_consent }) => email_consent === 'UNSUBSCRIBED'),
    0.2,
  );
  near(
    shareOf(texted, ({ sms_consent }) => sms_consent === 'SUBSCRIBED'),
    0.4,
  );
  const reasons = (person: SeedProfile) =>
    person.suppressions?.map((one) => (typeof one === 'string' ? one : one.reason)) ?? [];
  near(
    shareOf(mailed, (person) => reasons(person).includes('HARD_BOUNCE')),
    0.1,
  );
  near(
    shareOf(mailed, (person) => reasons(person).includes('USER_SUPPRESSED')),
    0.05,
  );
  const subscribed = all.filter(({ email_consent: email, sms_consent: sms }) =>
    [email, sms].includes('SUBSCRIBED'),
  );
  const onA = ({ lists }: SeedProfile) =>
    lists?.some((entry) => typeof entry !== 'string' && entry.id === 'A') === true;
  near(shareOf(subscribed, onA), 0.25);
  assert.equal(all.filter(onA).length, subscribed.filter(onA).length);
});

test('nobody has the address or number of anybody else, real or generated', () => {
  const all = invent({ profiles: 5_000, phone_share: 1 });
  const emails = all.flatMap(({ email }) => email ?? []);
  const phones = all.flatMap(({ phone_number }) => phone_number ?? []);
  assert.equal(new Set(emails).size, emails.length);
  assert.equal(new Set(phones).size, 5_000);
  for (const email of emails)
    assert.match(email, /@(example\.(com|net|org)|(mail|post)\.example)$/);
  for (const phone of phones) assert.match(phone, /^\+1\d{3}55501\d\d$/);
});

test('all numbers that belong to nobody are valid in the US or Canada', () => {
  const step = Math.floor(FICTION_PHONES / 500);
  const seen = new Set<string>();
  for (let n = FICTION_PHONES - 1; n >= 0; n -= step) {
    const phone = fictionPhone(n);
    seen.add(phone);
    const verdict = phoneVerdict(phone);
    assert.ok(verdict.kind === 'valid' && ['US', 'CA'].includes(verdict.country), phone);
  }
  assert.ok(seen.size >= 500);
  // All numbers of one area code: all different, and none of them directory assistance.
  const areas = [...Array(400).keys()].findIndex(
    (n) => n > 0 && fictionPhone(n).startsWith('+1201'),
  );
  const lines = Array.from({ length: FICTION_PHONES / areas }, (_, i) => fictionPhone(i * areas));
  assert.equal(new Set(lines).size, lines.length);
  const found = ['+12015551212', '+12015559999'].map((phone) => lines.includes(phone));
  assert.deepEqual(found, [false, true]);
  assert.throws(() => fictionPhone(FICTION_PHONES), RangeError);
});

test('the same seed generates the same people, another seed others', () => {
  const profiles = 200;
  assert.deepEqual(invent({ profiles }), invent({ profiles }));
  assert.notDeepEqual(invent({ profiles }), invent({ profiles, seed: 2 }));
  assert.deepEqual(invent({ profiles, seed: 2 }), invent({ profiles }, 2));
});

test('dates are between the start and now, consent after creation', () => {
  const since = '2024-01-01T00:00:00Z';
  const all = invent({ profiles: 500, since });
  const dates = (person: SeedProfile) =>
    [person.created, person.email_consent_timestamp, person.sms_consent_timestamp, person.updated]
      .flatMap((date) => date ?? [])
      .map((date) => Date.parse(date));
  for (const person of all) {
    const [created, ...others] = dates(person);
    assert.ok(created! >= Date.parse(since) && others.every((date) => date >= created!));
    assert.ok(others.every((date) => date <= NOW));
  }
  const created = all.map((person) => dates(person)[0]!);
  assert.deepEqual(
    created,
    [...created].sort((a, b) => a - b),
  );
});

test('a control call fills the account, and a second one adds others', async (t) => {
  const sandbox = await sandboxFor(t);
  const body = { profiles: 300, email_share: 1 };
  assert.deepEqual(await ask(sandbox, 'POST', '/generate', body), { profiles: 300 });
  assert.deepEqual(await ask(sandbox, 'POST', '/generate', body), { profiles: 300 });
  assert.equal((await linesOf(sandbox, '/truth')).length, 600);
  assert.ok(sandbox.account.lists.get('Single')!.size > 100);
});

test('a control call can choose the lists', async (t) => {
  const sandbox = await sandboxFor(t);
  await ask(sandbox, 'POST', '/generate', { profiles: 200, lists: ['Double'], list_share: 1 });
  assert.equal(sandbox.account.lists.get('Single')!.size, 0);
  assert.ok(sandbox.account.lists.get('Double')!.size > 50);
});

for (const [body, words] of [
  [{}, /profiles must be a whole number from 1/],
  [{ profiles: 1.5 }, /profiles must be/],
  [{ profiles: 1e15 }, /profiles must be a whole number from 1 to 10000000/],
  [{ profiles: 1, phone_share: 2 }, /phone_share must be a number from 0 to 1, got 2/],
  [{ profiles: 1, phones: 1 }, /has no "phones"; known are profiles/],
  [{ profiles: 1, subscribed_share: 0.9, unsubscribed_share: 0.2 }, /not be more than 1 together/],
  [{ profiles: 1, lists: ['Nowhere'] }, /no list "Nowhere"/],
  [{ profiles: 1, since: '2024-01-01' }, /since must be an RFC 3339 date/],
] as const) {
  test(`refuses a population of ${JSON.stringify(body)}`, async (t) => {
    const sandbox = await sandboxFor(t);
    assert.match(await refused(sandbox, 'POST', '/generate', body), words);
    assert.equal(sandbox.account.profiles.size, 0);
  });
}
