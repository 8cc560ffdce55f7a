import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import type { Sandbox, SandboxOptions } from '../../src/index.js';
import { metricsOf, unsubscribe } from '../consent/consent-support.js';
import { ask } from '../control/control-support.js';
import { get, HOUR, row, sandboxFor, subscribe, type Resource } from '../support.js';

const email = 'ada@shop.test';
const SECOND = 1_000;
const WITH = 'additional-fields[profile]=subscriptions';
const OUT = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };

/** Ada, subscribed, on a list and in a segment, among others. */
async function withAda(t: TestContext, options: SandboxOptions): Promise<Sandbox> {
  const segments = [{ id: 'Vip', name: 'Vip', where: { property: 'vip', equals: true } }];
  const sandbox = await sandboxFor(t, { segments, ...options });
  const more = { lists: ['Single', 'Double'], properties: { vip: true } };
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED', ...more });
  sandbox.account.advance(HOUR);
  return sandbox;
}

/** Every place of the API that shows Ada's subscriptions. */
async function everywhere(sandbox: Sandbox): Promise<unknown[]> {
  const pages = ['/api/profiles', '/api/lists/Single/profiles', '/api/segments/Vip/profiles'];
  const id = sandbox.account.truthFor({ email })!.id;
  const one = await get<{ data: Resource }>(sandbox, `/api/profiles/${id}?${WITH}`);
  const shown: unknown[] = [one.data.attributes.subscriptions];
  for (const page of pages) {
    const { data } = await get(sandbox, `${page}?${WITH}`);
    shown.push(data.find(({ id: other }) => other === id)!.attributes.subscriptions);
  }
  return shown;
}

interface Shown {
  email: {
    marketing: Record<string, unknown> & { suppression?: { reason: string }[] | null };
  };
}

describe('suppressions in answers', () => {
  const reasons = { suppressions: ['USER_SUPPRESSED'], list_suppressions: ['Double'] } as const;
  for (const [suppressionField, fields] of [
    ['array', ['array', 'array']],
    ['null', [null, null]],
    ['absent', [undefined, undefined]],
  ] as const) {
    it(`are ${suppressionField}, while can_receive_email_marketing stays correct`, async (t) => {
      const sandbox = await withAda(t, { switches: { suppressionField } });
      const kindOf = (value: unknown) => (Array.isArray(value) ? 'array' : value);
      for (const suppressed of [false, true]) {
        if (suppressed) {
          const { suppressions, list_suppressions } = reasons;
          sandbox.account.seed({
            email,
            suppressions: [...suppressions],
            list_suppressions: [...list_suppressions],
          });
        }
        for (const shown of (await everywhere(sandbox)) as Shown[]) {
          const { marketing } = shown.email;
          assert.equal(marketing['can_receive_email_marketing'], !suppressed);
          assert.equal(marketing['consent'], 'SUBSCRIBED');
          assert.deepEqual(
            [kindOf(marketing.suppression), kindOf(marketing['list_suppressions'])],
            fields,
          );
          assert.equal('suppression' in marketing, suppressionField !== 'absent');
        }
      }
      const { marketing } = sandbox.account.truthFor({ email })!.subscriptions.email;
      assert.equal(
        marketing.suppression[0]?.reason,
        'USER_SUPPRESSED',
        'the true state is complete',
      );
      assert.equal(marketing.list_suppressions.length, 1);
      const filter = 'equals(subscriptions.email.marketing.suppression.reason,"USER_SUPPRESSED")';
      const found = await get(sandbox, `/api/profiles?filter=${encodeURIComponent(filter)}`);
      assert.equal(found.data.length, 1, 'filters know them all the same');
    });
  }
});

describe('the address in answers', () => {
  const shown = async (sandbox: Sandbox) =>
    (await get(sandbox, '/api/profiles')).data.map(({ attributes }) => attributes.email);

  it('is shown as stored by default', async (t) => {
    assert.deepEqual(await shown(await withAda(t, {})), [email]);
  });

  it('is padded with blanks, or null, as the switch says, and filters still find it', async (t) => {
    for (const [emailField, address] of [
      ['padded', ` ${email}\u200B`],
      ['null', null],
    ] as const) {
      const sandbox = await withAda(t, { switches: { emailField } });
      assert.deepEqual(await shown(sandbox), [address]);
      const found = await get(
        sandbox,
        `/api/profiles?filter=${encodeURIComponent(`equals(email,"${email}")`)}`,
      );
      assert.equal(found.data.length, 1);
    }
  });

  it('is null in a fifth of the reads', async (t) => {
    const switches = { emailField: 'null_at_times' } as const;
    const sandbox = await withAda(t, { switches, rateLimitFactor: 100 });
    let missing = 0;
    for (let i = 0; i < 200; i++) if ((await shown(sandbox))[0] === null) missing += 1;
    assert.ok(missing > 20 && missing < 60, `${missing} of 200`);
  });
});

describe('subscriptions in answers', () => {
  it('are present by default, in every read', async (t) => {
    const sandbox = await withAda(t, {});
    for (let i = 0; i < 10; i++) assert.ok(!(await everywhere(sandbox)).includes(null));
  });

  it('are always null if the switch says so, while the true state is unchanged', async (t) => {
    const sandbox = await withAda(t, { switches: { subscriptionsField: 'null' } });
    assert.deepEqual(await everywhere(sandbox), [null, null, null, null]);
    const { subscriptions } = sandbox.account.truthFor({ email })!;
    assert.equal(subscriptions.email.marketing.consent, 'SUBSCRIBED');
  });

  it('are null in a fifth of the reads, also of the same person, by the seed', async (t) => {
    const nulls = async (seed: number) => {
      const switches = { subscriptionsField: 'null_at_times' } as const;
      const sandbox = await withAda(t, { switches, seed, rateLimitFactor: 100 });
      const reads: boolean[] = [];
      for (let i = 0; i < 50; i++) {
        reads.push(...(await everywhere(sandbox)).map((shown) => shown === null));
      }
      return reads;
    };
    const reads = await nulls(1);
    const share = reads.filter(Boolean).length / reads.length;
    assert.ok(share > 0.12 && share < 0.28, `${share} of ${reads.length}`);
    assert.deepEqual(await nulls(1), reads);
    assert.notDeepEqual(await nulls(2), reads);
  });
});

describe('answers that lag behind', () => {
  const MINUTE_LATE = { delays: { readLag: [60 * SECOND, 60 * SECOND] as const } };
  const consents = async (sandbox: Sandbox) =>
    (await everywhere(sandbox)).map((shown) => {
      const { consent, suppression } = (shown as Shown).email.marketing;
      return [consent, ...suppression!.map(({ reason }) => reason)].join();
    });
  const four = (shown: string) => [shown, shown, shown, shown];
  const optOut = (sandbox: Sandbox) => unsubscribe(sandbox, [{ email, subscriptions: OUT }]);

  it('show a change at once by default', async (t) => {
    const sandbox = await withAda(t, {});
    await optOut(sandbox);
    assert.deepEqual(await consents(sandbox), four('UNSUBSCRIBED,UNSUBSCRIBE'));
  });

  it('show the complete previous state until the lag is over', async (t) => {
    const sandbox = await withAda(t, MINUTE_LATE);
    await optOut(sandbox);
    sandbox.account.advance(59 * SECOND);
    assert.deepEqual(await consents(sandbox), four('SUBSCRIBED'));
    sandbox.account.advance(2 * SECOND);
    assert.deepEqual(await consents(sandbox), four('UNSUBSCRIBED,UNSUBSCRIBE'));
  });

  it('never show half of the writes of one act', async (t) => {
    const sandbox = await withAda(t, MINUTE_LATE);
    const { account } = sandbox;
    let now = Date.now();
    t.mock.method(Date, 'now', () => (now += 1));
    account.unsubscribe({ email });
    account.advance(60 * SECOND - 100);
    const shown = Array.from({ length: 200 }, () => {
      const { consent, suppression } = (account.shown.subscriptions(0) as Shown).email.marketing;
      return `${String(consent)} ${suppression!.length}`;
    });
    assert.deepEqual([...new Set(shown)], ['SUBSCRIBED 0', 'UNSUBSCRIBED 1']);
  });

  it('do not affect the true state, suppression filters and events', async (t) => {
    const sandbox = await withAda(t, MINUTE_LATE);
    await optOut(sandbox);
    assert.deepEqual(await consents(sandbox), four('SUBSCRIBED'));
    const { marketing } = sandbox.account.truthFor({ email })!.subscriptions.email;
    assert.deepEqual([marketing.consent, marketing.suppression.length], ['UNSUBSCRIBED', 1]);
    const told = await ask<{ subscriptions: Shown }>(sandbox, 'GET', `/truth?email=${email}`);
    assert.equal(told.subscriptions.email.marketing['consent'], 'UNSUBSCRIBED');
    const filter = 'equals(subscriptions.email.marketing.suppression.reason,"UNSUBSCRIBE")';
    const found = await get(sandbox, `/api/profiles?filter=${encodeURIComponent(filter)}`);
    assert.equal(found.data.length, 1);
    assert.deepEqual(metricsOf(sandbox), ['Unsubscribed from Email Marketing']);
  });

  it('show changes in order, each for its time', async (t) => {
    const sandbox = await withAda(t, { delays: { ...MINUTE_LATE.delays, subscribeLive: [0, 0] } });
    await optOut(sandbox);
    sandbox.account.advance(20 * SECOND);
    await subscribe(sandbox, [row({ email })], { list: 'Single' });
    sandbox.account.advance(20 * SECOND);
    await optOut(sandbox);
    const shown: string[] = [];
    for (let i = 0; i < 12; i++) {
      const [consent] = await consents(sandbox);
      if (shown.at(-1) !== consent) shown.push(consent!);
      sandbox.account.advance(10 * SECOND);
    }
    assert.deepEqual(shown, [
      'SUBSCRIBED',
      'UNSUBSCRIBED,UNSUBSCRIBE',
      'SUBSCRIBED',
      'UNSUBSCRIBED,UNSUBSCRIBE',
    ]);
  });

  it('also lag for a suppression and its removal', async (t) => {
    const sandbox = await withAda(t, {
      delays: { ...MINUTE_LATE.delays, suppression: [SECOND, SECOND] },
    });
    const { suppressing } = sandbox.account;
    for (const [change, before, after] of [
      ['suppress', 'SUBSCRIBED', 'SUBSCRIBED,USER_SUPPRESSED'],
      ['unsuppress', 'SUBSCRIBED,USER_SUPPRESSED', 'SUBSCRIBED'],
    ] as const) {
      suppressing.accept(change, { emails: [email] });
      sandbox.account.advance(30 * SECOND);
      assert.deepEqual(await consents(sandbox), four(before));
      sandbox.account.advance(40 * SECOND);
      assert.deepEqual(await consents(sandbox), four(after));
    }
  });

  it('lag for each person by a random time within the range', async (t) => {
    const sandbox = await sandboxFor(t, {
      delays: { readLag: [10 * SECOND, 60 * SECOND] },
      rateLimitFactor: 100,
    });
    const people = Array.from({ length: 40 }, (_, i) => `p${i}@shop.test`);
    for (const one of people) sandbox.account.seed({ email: one, email_consent: 'SUBSCRIBED' });
    for (const one of people) sandbox.account.unsubscribe({ email: one });
    const late: number[] = [];
    for (let second = 0; second <= 60; second += 10) {
      const { data } = await get(sandbox, `/api/profiles?${WITH}&page[size]=100`);
      late.push(data.filter((one) => consentIn(one) === 'SUBSCRIBED').length);
      sandbox.account.advance(10 * SECOND);
    }
    assert.deepEqual([late[0], late.at(-1)], [40, 0]);
    assert.ok(new Set(late).size > 4, `so many were late: ${late.join(', ')}`);
  });

  it('show seeded data at once, also during a lag', async (t) => {
    const sandbox = await withAda(t, MINUTE_LATE);
    assert.deepEqual(await consents(sandbox), four('SUBSCRIBED'));
    await optOut(sandbox);
    sandbox.account.seed({ email, suppressions: ['HARD_BOUNCE'] });
    assert.deepEqual(await consents(sandbox), four('UNSUBSCRIBED,UNSUBSCRIBE,HARD_BOUNCE'));
  });
});

const consentIn = ({ attributes }: Resource) =>
  attributes.subscriptions!.email.marketing['consent'];

test('the lag can be changed at run time', async (t) => {
  const sandbox = await withAda(t, { delays: 'fast' });
  await ask(sandbox, 'PATCH', '/settings', { delays: { readLag: [HOUR, HOUR] } });
  sandbox.account.unsubscribe({ email });
  const [shown] = (await everywhere(sandbox)) as Shown[];
  assert.equal(shown!.email.marketing['consent'], 'SUBSCRIBED');
});
