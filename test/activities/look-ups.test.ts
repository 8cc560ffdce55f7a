import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { optOutOf } from '../../src/consent/opt-outs.js';
import { lookUpPeople } from '../../src/activities/look-ups.js';
import {
  LimiterBusyError,
  type KlaviyoClient,
  type ProfileConsent,
} from '../../src/klaviyo/index.js';
import { email, profile } from '../support/profiles.js';

const addresses = Array.from({ length: 30 }, (_, n) => `p${n}@example.com`);

/** A client that has these profiles under these addresses, whatever they say of themselves. */
function clientOf(held: ReadonlyMap<string, ProfileConsent>) {
  const calls: number[] = [];
  const klaviyo = {
    lookUpProfiles({ values }: { values: readonly string[] }) {
      calls.push(values.length);
      return Promise.resolve(values.flatMap((value) => held.get(value) ?? []));
    },
  };
  return { calls, klaviyo: klaviyo as unknown as KlaviyoClient };
}

const subscribed = (n: number, says: string | null) =>
  profile({ id: `P${n}`, email: says, emailMarketing: email('SUBSCRIBED') });

describe('an answer that is nobody’s of those who were asked for', () => {
  for (const [how, says] of [
    ['blanks around the address', ' p3@example.com'],
    ['a mark without width in it', 'p3@example.com\u200B'],
    ['a letter that only looks like its own', 'p3@ex\u0430mple.com'],
    ['no address', null],
  ] as const) {
    test(`${how}: nothing is known of that one, and all of the others`, async () => {
      const held = new Map(addresses.map((at, n) => [at, subscribed(n, n === 3 ? says : at)]));
      const { calls, klaviyo } = clientOf(held);
      const people = await lookUpPeople(klaviyo, { emails: addresses, phoneNumbers: [] });
      const reasons = addresses.map((at) => {
        const { byEmail } = people.index.heldFor({ email: at, phoneNumber: null });
        assert.equal(new Set(byEmail.map(({ id }) => id)).size, 1, at);
        return optOutOf('email', byEmail, null);
      });
      assert.deepEqual(
        reasons,
        addresses.map((_, n) => (n === 3 ? 'consent_state_unknown' : null)),
      );
      assert.ok(calls.length <= 11, `${calls.length} calls`);
    });
  }

  test('whoever they are: each is found under the address that it came for, or not known', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('as asked', 'capitals', 'blank', 'null', 'nobody'), {
          minLength: 1,
          maxLength: 30,
        }),
        async (ways) => {
          const held = new Map<string, ProfileConsent>();
          ways.forEach((way, n) => {
            const at = addresses[n] ?? '';
            const says = {
              'as asked': at,
              capitals: at.toUpperCase(),
              blank: ` ${at}`,
              null: null,
            };
            if (way !== 'nobody') held.set(at, subscribed(n, says[way]));
          });
          const { klaviyo } = clientOf(held);
          const emails = addresses.slice(0, ways.length);
          const { index } = await lookUpPeople(klaviyo, { emails, phoneNumbers: [] });
          ways.forEach((way, n) => {
            const { byEmail } = index.heldFor({ email: emails[n] ?? '', phoneNumber: null });
            const states = new Set(
              byEmail.map(({ id, emailMarketing }) => `${id} ${emailMarketing?.consent}`),
            );
            const state = way === 'as asked' || way === 'capitals' ? 'SUBSCRIBED' : 'unknown';
            assert.deepEqual([...states], way === 'nobody' ? [] : [`P${n} ${state}`]);
          });
        },
      ),
      { numRuns: 100 },
    ));

  test('that does not come again: nothing is known of any of them', async () => {
    let calls = 0;
    const klaviyo = {
      lookUpProfiles: ({ values }: { values: readonly string[] }) => {
        calls += 1;
        const others = values.map((at, n) => profile({ id: `P${n}${at}`, email: at }));
        const stray = profile({ id: 'S', email: null, emailMarketing: email('UNSUBSCRIBED') });
        return Promise.resolve(calls === 1 ? [stray, ...others.slice(1)] : others.slice(1));
      },
    } as unknown as KlaviyoClient;
    const { index } = await lookUpPeople(klaviyo, { emails: addresses, phoneNumbers: [] });
    for (const at of addresses) {
      const { byEmail } = index.heldFor({ email: at, phoneNumber: null });
      assert.equal(optOutOf('email', byEmail, null), 'consent_state_unknown', at);
    }
  });

  test('keeps what was read where calls run out in the middle', async () => {
    const held = new Map(addresses.map((at, n) => [at, subscribed(n, n === 0 ? null : at)]));
    const { klaviyo } = clientOf(held);
    const few = {
      calls: 0,
      lookUpProfiles(query: { values: readonly string[] }) {
        few.calls += 1;
        if (few.calls > 4) return Promise.reject(new LimiterBusyError('get_profiles', 60_000));
        return klaviyo.lookUpProfiles({ by: 'email', values: query.values });
      },
    };
    const read = await lookUpPeople(few as unknown as KlaviyoClient, {
      emails: addresses,
      phoneNumbers: [],
    });
    assert.ok(read.shortage instanceof LimiterBusyError);
    const covered = addresses.filter((at) => read.covers({ email: at, phoneNumber: null }));
    assert.ok(covered.length > 0 && covered.length < addresses.length, `${covered.length}`);
    for (const at of covered) {
      const { byEmail } = read.index.heldFor({ email: at, phoneNumber: null });
      assert.equal(optOutOf('email', byEmail, null), null, at);
    }
    assert.ok(!covered.includes(addresses[0] ?? ''));
  });
});
