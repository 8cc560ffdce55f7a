import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sandbox, Switches } from '../../src/index.js';
import { unsubscribe } from '../consent/consent-support.js';
import { importInto, jobOf } from '../profiles/import-support.js';
import { consentOf, get, HOUR, row, sandboxFor, subscribe, type Resource } from '../support.js';

const PEOPLE = Array.from({ length: 100 }, (_, i) => `p${i}@shop.test`);
const OUT = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };
const DAY = 24 * HOUR;

interface Operation {
  send: (sandbox: Sandbox, emails: readonly string[]) => Promise<Response>;
  isDone: (sandbox: Sandbox, email: string) => boolean;
}
const isOn = (sandbox: Sandbox, email: string) =>
  consentOf(sandbox, email)?.lists.includes('Single') === true;

const OPERATIONS: Record<string, Operation> = {
  subscribe: {
    send: (sandbox, emails) =>
      subscribe(
        sandbox,
        emails.map((email) => row({ email })),
        { list: 'Single' },
      ),
    isDone: isOn,
  },
  'historical subscribe': {
    send: (sandbox, emails) => {
      const past = { consented_at: '2024-01-01T00:00:00Z' };
      const rows = emails.map((email) => row({ email }, ['email'], past));
      return subscribe(sandbox, rows, { list: 'Single', historical_import: true });
    },
    isDone: isOn,
  },
  'double opt-in': {
    send: (sandbox, emails) =>
      subscribe(
        sandbox,
        emails.map((email) => row({ email })),
        { list: 'Double' },
      ),
    isDone: (sandbox, email) => [...sandbox.account.messages()].some(({ to }) => to === email),
  },
  unsubscribe: {
    send: (sandbox, emails) =>
      unsubscribe(
        sandbox,
        emails.map((email) => ({ email, subscriptions: OUT })),
      ),
    isDone: (sandbox, email) => consentOf(sandbox, email)?.email === 'UNSUBSCRIBED',
  },
  'bulk import': {
    send: (sandbox, emails) =>
      importInto(
        sandbox,
        'Single',
        emails.map((email) => ({ email })),
      ),
    isDone: isOn,
  },
};

/** Sends everybody in one call; returns who was changed a day later. */
async function metBy({ send, isDone }: Operation, sandbox: Sandbox, emails = PEOPLE) {
  assert.equal((await send(sandbox, emails)).status, 202);
  sandbox.account.advance(DAY);
  return emails.filter((email) => isDone(sandbox, email));
}

describe('accepted rows', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    it(`are applied by default: ${name}`, async (t) => {
      assert.equal((await metBy(operation, await sandboxFor(t))).length, 100);
    });

    it(`are all lost for ever if the switch says so: ${name}`, async (t) => {
      const sandbox = await sandboxFor(t, { switches: { acceptedRows: 'lost' } });
      assert.equal((await metBy(operation, sandbox)).length, 0);
      sandbox.account.settings.switches.acceptedRows = 'applied';
      sandbox.account.advance(30 * DAY);
      assert.ok(!PEOPLE.some((email) => operation.isDone(sandbox, email)), 'not late either');
      assert.equal((await metBy(operation, sandbox)).length, 100, 'but when they are sent again');
    });

    it(`are lost at times, by the seed, and drawn again when repeated: ${name}`, async (t) => {
      const met = async (seed: number) => {
        const switches = { acceptedRows: 'lost_at_times' } as const;
        const sandbox = await sandboxFor(t, { switches, seed });
        return { sandbox, met: await metBy(operation, sandbox) };
      };
      const { sandbox, met: first } = await met(1);
      assert.ok(first.length >= 80 && first.length <= 97, `${first.length} of 100`);
      assert.deepEqual((await met(1)).met, first);
      assert.notDeepEqual((await met(2)).met, first);
      const lost = PEOPLE.filter((email) => !first.includes(email));
      const again = await metBy(operation, sandbox, lost);
      assert.ok(again.length > lost.length / 2, `${again.length} of ${lost.length} sent again`);
    });
  }

  it('are recorded as sent, lost or not', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { acceptedRows: 'lost' } });
    await metBy(OPERATIONS['subscribe']!, sandbox);
    assert.equal([...sandbox.account.subscribed()].length, 100);
  });

  for (const [acceptedRows, status] of [
    ['applied', 'complete'],
    ['lost_at_times', 'processing'],
    ['lost', 'queued'],
  ] as const) {
    it(`of an import that are ${acceptedRows} leave its job ${status}`, async (t) => {
      const sandbox = await sandboxFor(t, { switches: { acceptedRows } });
      const rows = PEOPLE.map((email) => ({ email }));
      const id = await jobOf(sandbox, 'Single', rows);
      sandbox.account.advance(DAY);
      const path = `/api/profile-bulk-import-jobs/${id}`;
      const { attributes } = (await get<{ data: Resource }>(sandbox, path)).data;
      const { completed_count, failed_count } = attributes;
      assert.deepEqual([attributes['status'], failed_count], [status, 0]);
      const joined = PEOPLE.filter((email) => isOn(sandbox, email)).length;
      assert.equal(completed_count, joined);
    });
  }
});

describe('consent to texts beside consent to e-mail', () => {
  const email = 'ada@shop.test';
  const phone_number = '+12015550123';
  const both = row({ email, phone_number }, ['email', 'sms']);
  const consents = async (sandbox: Sandbox, sent: object, list = 'Single') => {
    await subscribe(sandbox, [sent], { list });
    sandbox.account.advance(HOUR);
    const truth = sandbox.account.truthFor({ email, phone_number });
    const { email: mail, sms } = truth?.subscriptions ?? {};
    return [mail?.marketing.consent, sms?.marketing.consent, truth?.phone_number];
  };
  const with_ = (smsBesideEmail: Switches['smsBesideEmail']) => ({ switches: { smsBesideEmail } });

  it('is applied by default', async (t) => {
    const sandbox = await sandboxFor(t, with_('applied'));
    assert.deepEqual(await consents(sandbox, both), ['SUBSCRIBED', 'SUBSCRIBED', phone_number]);
  });

  it('is lost if the switch says so; the number is kept', async (t) => {
    const sandbox = await sandboxFor(t, with_('lost'));
    const left = ['SUBSCRIBED', 'NEVER_SUBSCRIBED', phone_number];
    assert.deepEqual(await consents(sandbox, both), left);
    const transactional = {
      marketing: { consent: 'SUBSCRIBED' },
      transactional: { consent: 'SUBSCRIBED' },
    };
    const { email: mail } = both.attributes.subscriptions;
    const subscriptions = { email: mail, sms: transactional };
    const kinds = { type: 'profile', attributes: { email, phone_number, subscriptions } };
    assert.deepEqual(await consents(sandbox, kinds), left);
    const { sms } = sandbox.account.truthFor({ email })!.subscriptions;
    assert.equal(sms.transactional.consent, 'NEVER_SUBSCRIBED');
  });

  it('gets no confirmation message then', async (t) => {
    const sandbox = await sandboxFor(t, with_('lost'));
    await consents(sandbox, both, 'Double');
    assert.deepEqual(
      [...sandbox.account.messages()].map(({ channel }) => channel),
      ['email'],
    );
  });

  it('is not lost in rows with only consent to texts, with or without an address', async (t) => {
    for (const identifiers of [{ phone_number }, { email, phone_number }]) {
      const sandbox = await sandboxFor(t, with_('lost'));
      const [, sms] = await consents(sandbox, row(identifiers, ['sms']));
      assert.equal(sms, 'SUBSCRIBED');
    }
  });
});
