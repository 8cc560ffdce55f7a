import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FaultKind, type Sandbox, startSandbox } from 'klaviyo-sandbox';
import {
  ENDPOINTS,
  KlaviyoClient,
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  KlaviyoUnavailableError,
  ListNotFoundError,
  splitRefusal,
} from '../../src/klaviyo/index.js';
import { createLocalLimiter } from '../support/klaviyo/local-limiter.js';

/** Longer than anything that the sandbox delays under its fast settings. */
const SETTLED = 5_000;
const DATE = '2021-03-04T05:06:07Z';

let sandbox: Sandbox;
let client: KlaviyoClient;

function clientFor(of: Sandbox, apiKey = of.apiKey, share = 1): KlaviyoClient {
  return new KlaviyoClient({
    apiKey,
    baseUrl: of.url,
    limiter: createLocalLimiter(ENDPOINTS, share),
    version: 'test',
  });
}

before(async () => {
  sandbox = await startSandbox({
    delays: 'fast',
    clicks: { share: 0, delayMs: [0, 0] },
    lists: [
      { id: 'SINGLE', name: 'News', opt_in_process: 'single_opt_in' },
      {
        id: 'DOUBLE',
        name: 'Club',
        opt_in_process: 'double_opt_in',
        flows: [
          { id: 'FLOW01', name: 'Welcome' },
          { id: 'FLOW02', name: 'Gone', archived: true },
        ],
      },
      ...Array.from({ length: 21 }, (_, i) => ({ id: `MORE${i}`, name: `More ${i}` })),
    ],
  });
  client = clientFor(sandbox);
});

after(async () => {
  await client.close();
  await sandbox.close();
});

const subscribe = (
  listId: string | null,
  profiles: Parameters<KlaviyoClient['subscribeProfiles']>[0]['profiles'],
  historicalImport = false,
) => client.subscribeProfiles({ listId, customSource: 'run 1', historicalImport, profiles });

const byEmail = (...values: string[]) => client.lookUpProfiles({ by: 'email', values });

describe('against the sandbox, the client', () => {
  it('reads the account, a list, all lists and the SMS set-up', async () => {
    const account = await client.getAccount();
    assert.equal(account.id, 'SbxAcc');
    assert.equal(account.country, 'US');
    const list = await client.getList('DOUBLE');
    assert.deepEqual(list, {
      id: 'DOUBLE',
      name: 'Club',
      optInProcess: 'double_opt_in',
      flows: [{ id: 'FLOW01', name: 'Welcome', status: 'live' }],
    });
    assert.deepEqual(
      (await client.listLists({ name: 'Club' })).map(({ id }) => id),
      ['DOUBLE'],
    );
    assert.deepEqual(client.rateLimits('get_list'), {
      burst: 75,
      steady: 750,
      remaining: 74,
      window: 1,
    });
    await assert.rejects(client.getList('NOLIST'), ListNotFoundError);
    const lists = await client.listLists();
    assert.equal(new Set(lists.map(({ id }) => id)).size, 23);

    const configuration = await client.getTextMessagingConfiguration(account.id);
    assert.equal(configuration.readable && configuration.value.status, 'active');
    const senders = await client.listTextMessagingSenders();
    assert.ok(senders.readable);
    const countries = senders.value
      .filter(({ status }) => status === 'active')
      .map(({ country }) => country);
    assert.deepEqual([...countries].sort(), ['CA', 'GB', 'US']);
  });

  it('subscribes live and reads the consent back, from the list and by look-up', async () => {
    const email = 'live@example.com';
    const phoneNumber = '+12015550101';
    const accepted = await subscribe('SINGLE', [
      {
        email,
        phoneNumber,
        channels: { email: { consentedAt: null }, sms: { consentedAt: null } },
      },
    ]);
    assert.deepEqual([accepted.accepted, accepted.partialFailure], [true, null]);
    sandbox.account.advance(SETTLED);

    const [found] = await byEmail(email);
    assert.equal(found?.emailMarketing?.consent, 'SUBSCRIBED');
    assert.equal(found.emailMarketing.customMethodDetail, 'run 1');
    assert.equal(found.smsMarketing?.consent, 'SUBSCRIBED');
    const byPhone = await client.lookUpProfiles({ by: 'phone_number', values: [phoneNumber] });
    assert.deepEqual(byPhone, [found]);

    const { profiles } = await client.listMembers({ listId: 'SINGLE', joinedSince: DATE });
    const member = profiles.find(({ id }) => id === found.id);
    assert.equal(member?.emailMarketing?.consent, 'SUBSCRIBED');
    assert.match(member.joinedAt ?? '', /\.\d{6}\+00:00$/);
    const query = { listId: 'SINGLE', by: 'email', values: [email, 'none@example.com'] } as const;
    assert.deepEqual(
      (await client.lookUpMembers(query)).map(({ id }) => id),
      [found.id],
    );
  });

  it('subscribes with a consent date onto a double opt-in list, with the date kept', async () => {
    const email = "o'neill+history@example.com";
    await subscribe('DOUBLE', [{ email, channels: { email: { consentedAt: DATE } } }], true);
    sandbox.account.advance(SETTLED);
    const [found] = await byEmail(email);
    assert.equal(found?.emailMarketing?.consent, 'SUBSCRIBED');
    assert.equal(Date.parse(found.emailMarketing.consentedAt ?? ''), Date.parse(DATE));
  });

  it('finds out which rows of a refused request are bad, and may send the rest', async () => {
    const live = { consentedAt: null };
    const rows = [
      { email: 'fine@example.com', channels: { email: live } },
      { phoneNumber: '+33612345678', channels: { sms: live } },
      { email: 'not an address', channels: { email: live } },
    ];
    const error = await subscribe('SINGLE', rows).catch((reason: unknown) => reason);
    assert.ok(error instanceof KlaviyoRefusedError);
    const split = splitRefusal(error.apiErrors, rows.length);
    assert.equal(split.requestWide, null);
    assert.deepEqual(
      [...split.rows],
      [
        [1, [{ reason: 'phone_country_without_sender', part: 'texts' }]],
        [2, [{ reason: 'klaviyo_refused_email', part: 'email' }]],
      ],
    );
    await subscribe('SINGLE', rows.slice(0, 1));
  });

  it('reads both kinds of backdated refusals', async () => {
    sandbox.account.seed({
      email: 'left@example.com',
      email_consent: 'UNSUBSCRIBED',
      email_consent_timestamp: '2024-01-01T00:00:00Z',
    });
    sandbox.account.seed({
      email: 'early@example.com',
      email_consent: 'SUBSCRIBED',
      email_consent_timestamp: '2020-02-21T05:29:23Z',
    });
    const channels = { email: { consentedAt: DATE } };
    const rows = ['left@example.com', 'early@example.com'].map((email) => ({ email, channels }));
    const error = await subscribe('SINGLE', rows, true).catch((reason: unknown) => reason);
    assert.ok(error instanceof KlaviyoRefusedError);
    assert.deepEqual(
      [...splitRefusal(error.apiErrors, 2).rows.values()],
      [
        [{ reason: 'backdated_before_opt_out', part: 'email' }],
        [{ reason: 'backdated_after_subscription', part: 'email' }],
      ],
    );
  });

  it('counts a list that is gone as request-wide', async () => {
    const profiles = [{ email: 'ada@example.com', channels: { email: { consentedAt: null } } }];
    const error = await subscribe('NOLIST', profiles).catch((reason: unknown) => reason);
    assert.ok(error instanceof KlaviyoRefusedError);
    const { rows, requestWide } = splitRefusal(error.apiErrors, 1);
    assert.equal(rows.size, 0);
    assert.equal(requestWide?.pointer, '/data/relationships/list/data/id');
  });

  it('hears that a phone number was dropped', async () => {
    const live = { consentedAt: null };
    const accepted = await subscribe('SINGLE', [
      {
        email: 'badphone@example.com',
        phoneNumber: '+1201',
        channels: { email: live, sms: live },
      },
    ]);
    assert.equal(accepted.partialFailure, 'phone_number');
  });

  it('unsubscribes, and reads the opt-out and its suppression', async () => {
    const email = 'leaver@example.com';
    const phoneNumber = '+12015550102';
    sandbox.account.seed({
      email,
      phone_number: phoneNumber,
      email_consent: 'SUBSCRIBED',
      sms_consent: 'SUBSCRIBED',
      consent_timestamp: DATE,
    });
    await client.unsubscribeProfiles({
      listId: null,
      profiles: [{ email, phoneNumber, channels: ['email', 'sms'] }],
    });
    sandbox.account.advance(SETTLED);
    const [found] = await byEmail(email);
    assert.equal(found?.emailMarketing?.consent, 'UNSUBSCRIBED');
    assert.deepEqual(
      found.emailMarketing.suppressions.map(({ reason }) => reason),
      ['UNSUBSCRIBE'],
    );
    assert.equal(found.smsMarketing?.consent, 'UNSUBSCRIBED');
  });

  it('puts people on a list without consent', async () => {
    const emails = ['import1@example.com', 'import2@example.com'];
    await client.importProfiles({
      listId: 'MORE1',
      profiles: emails.map((email) => ({ email })),
    });
    sandbox.account.advance(SETTLED);
    const members = await client.lookUpMembers({ listId: 'MORE1', by: 'email', values: emails });
    assert.equal(members.length, 2);
    assert.notEqual(members[0]?.emailMarketing?.consent, 'SUBSCRIBED');
  });

  it('reads a long list to its end, and looks up 100 people at once', async () => {
    const emails = Array.from({ length: 230 }, (_, i) => `member${i}@example.com`);
    for (const email of emails) sandbox.account.seed({ email, lists: ['MORE3'] });
    const read = new Set<string | null>();
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: Awaited<ReturnType<KlaviyoClient['listMembers']>> = await client.listMembers({
        listId: 'MORE3',
        joinedSince: DATE,
        cursor,
      });
      for (const { email } of page.profiles) read.add(email);
      cursor = page.next;
      pages++;
    } while (cursor !== null);
    assert.deepEqual([read.size, pages], [230, 3]);
    assert.equal((await byEmail(...emails.slice(0, 100))).length, 100);
  });

  const faults: readonly [FaultKind, boolean][] = [
    ['500', true],
    ['502', true],
    ['503', true],
    ['html', true],
    ['reset_before', true],
    ['reset_after', true],
  ];
  for (const [kind, ambiguous] of faults) {
    it(`does not know what became of a write after the fault "${kind}"`, async () => {
      sandbox.account.addFault({ endpoint: 'bulk_unsubscribe_profiles', kind, times: 1 });
      const call = client.unsubscribeProfiles({
        listId: null,
        profiles: [{ email: 'fault@example.com', channels: ['email'] }],
      });
      const error = await call.catch((reason: unknown) => reason);
      assert.ok(error instanceof KlaviyoUnavailableError);
      assert.equal(error.ambiguous, ambiguous);
    });
  }

  for (const kind of ['502', '503', 'html', 'reset_before', 'reset_after', 'truncated'] as const) {
    it(`reads again by itself after the fault "${kind}"`, async () => {
      sandbox.account.addFault({ endpoint: 'get_profiles', kind, times: 2 });
      assert.equal((await byEmail('live@example.com')).length, 1);
      assert.deepEqual(sandbox.account.faults.pending(), []);
    });
  }

  it('keeps off an endpoint for as long as a 429 asks', async () => {
    sandbox.account.addFault({ endpoint: 'get_list', kind: '429', times: 1, retryAfter: 2 });
    const started = performance.now();
    await assert.rejects(client.getList('SINGLE'), (error: Error) => {
      assert.ok(error instanceof KlaviyoRateLimitedError);
      return error.retryAfterMs === 2_000;
    });
    await client.getList('SINGLE');
    assert.ok(performance.now() - started >= 2_000);
  });

  it('meets no 429 on more calls than a second has, under a limiter that leaves half to others', async () => {
    const polite = clientFor(sandbox, sandbox.apiKey, 0.5);
    const ask = () => polite.lookUpProfiles({ by: 'email', values: ['a@shop.test'] });
    await Promise.all(Array.from({ length: 110 }, ask));
    await polite.close();
  });

  it('tells a wrong key and a missing scope', async () => {
    const stranger = clientFor(sandbox, 'pk_wrong');
    await assert.rejects(stranger.getAccount(), KlaviyoKeyRefusedError);
    await stranger.close();

    const narrow = await startSandbox({ scopes: ['lists:read'] });
    const reader = clientFor(narrow);
    await assert.rejects(
      reader.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }),
      (error: Error) =>
        error instanceof KlaviyoScopeMissingError && /profiles:read/.test(error.message),
    );
    assert.deepEqual(await reader.listTextMessagingSenders(), { readable: false, status: 403 });
    await reader.close();
    await narrow.close();
  });
});
