import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import type { KlaviyoClient } from '../../../src/klaviyo/index.js';
import {
  clientOf,
  json,
  KlaviyoServer,
  OpenLimiter,
  profile,
} from '../../support/klaviyo/klaviyo-server.js';

const SUPPRESSION = 'subscriptions.email.marketing.suppression';
const LIST_SUPPRESSIONS = 'subscriptions.email.marketing.list_suppressions';

let server: KlaviyoServer;
let client: KlaviyoClient;
const limiter = new OpenLimiter();

before(async () => {
  server = await KlaviyoServer.start();
  client = clientOf(server, { limiter });
});

after(async () => {
  await client.close();
  await server.stop();
});

function suppressed(id: string, ...suppression: { reason: string; timestamp: string | null }[]) {
  const marketing = { consent: 'SUBSCRIBED', can_receive_email_marketing: false, suppression };
  return profile(id, {
    email: `${id.toLowerCase()}@example.com`,
    subscriptions: { email: { marketing } },
  });
}

const since = '2026-07-01T00:00:00Z';

describe('people who were suppressed', () => {
  it('are asked for by the time, unsorted and with their consent', async () => {
    limiter.acquired.length = 0;
    server.answer(
      json(200, { data: [suppressed('P1', { reason: 'UNSUBSCRIBE', timestamp: since })] }),
    );
    const { profiles, next } = await client.listSuppressed({
      since: '2026-07-01T02:00:00.000005+02:00',
    });
    assert.equal(profiles[0]?.emailMarketing?.suppressions[0]?.reason, 'UNSUBSCRIBE');
    assert.equal(next, null);
    const [request] = server.received;
    assert.equal(request?.path, '/api/profiles');
    assert.deepEqual(Object.fromEntries(request.query), {
      filter: `greater-than(${SUPPRESSION}.timestamp,2026-07-01T00:00:00.000005Z)`,
      'additional-fields[profile]': 'subscriptions',
      'fields[profile]': 'email,phone_number,subscriptions',
      'page[size]': '100',
    });
    assert.deepEqual(limiter.acquired, ['get_profiles']);
  });

  it('are asked for by the reason as well, and page by page', async () => {
    const links = { next: `${server.url}/api/profiles?page%5Bcursor%5D=bmV4dDo6%3D` };
    server.answer(json(200, { data: [], links }), json(200, { data: [] }));
    const query = { since, reason: 'SPAM_COMPLAINT' } as const;
    const { next } = await client.listSuppressed(query);
    assert.equal(next, 'bmV4dDo6=');
    await client.listSuppressed({ ...query, cursor: next });
    const [first, second] = server.received;
    assert.equal(
      first?.query.get('filter'),
      `equals(${SUPPRESSION}.reason,"SPAM_COMPLAINT"),greater-than(${SUPPRESSION}.timestamp,2026-07-01T00:00:00Z)`,
    );
    assert.equal(second?.query.get('filter'), first?.query.get('filter'));
    assert.equal(second?.query.get('page[cursor]'), next);
  });

  it('after an end are left out here, as Klaviyo takes one date', async () => {
    server.answer(
      json(200, {
        data: [
          suppressed('WITHIN', { reason: 'UNSUBSCRIBE', timestamp: '2026-07-02T00:00:00+00:00' }),
          suppressed('LATER', { reason: 'UNSUBSCRIBE', timestamp: '2026-07-04T00:00:00+00:00' }),
          suppressed(
            'BOTH',
            { reason: 'HARD_BOUNCE', timestamp: '2026-07-04T00:00:00+00:00' },
            { reason: 'UNSUBSCRIBE', timestamp: '2026-07-02T00:00:00+00:00' },
          ),
          suppressed(
            'BEFORE',
            { reason: 'UNSUBSCRIBE', timestamp: '2026-06-01T00:00:00+00:00' },
            { reason: 'HARD_BOUNCE', timestamp: '2026-07-04T00:00:00+00:00' },
          ),
          suppressed('UNDATED', { reason: 'UNSUBSCRIBE', timestamp: null }),
          suppressed('UNSAID'),
        ],
      }),
    );
    const ids = async (reason: 'UNSUBSCRIBE' | 'HARD_BOUNCE' | null) => {
      const until = '2026-07-03T00:00:00Z';
      const { profiles } = await client.listSuppressed({ since, until, reason });
      return profiles.map(({ id }) => id);
    };
    assert.deepEqual(await ids(null), ['WITHIN', 'BOTH', 'UNDATED', 'UNSAID']);
    // Of whom Klaviyo found and shows none of the reason, it is not known when that was.
    assert.deepEqual(await ids('UNSUBSCRIBE'), ['WITHIN', 'BOTH', 'BEFORE', 'UNDATED', 'UNSAID']);
    for (const { query } of server.received) {
      assert.doesNotMatch(query.get('filter') ?? '', /less-than/);
    }
  });

  it('from one list are asked for with the list, unsorted', async () => {
    server.answer(json(200, { data: [], links: { next: null } }));
    const page = await client.listSuppressedOnList({ listId: 'LIST01', since, cursor: 'c2' });
    assert.deepEqual(page, { profiles: [], next: null });
    const [request] = server.received;
    assert.equal(
      request?.query.get('filter'),
      `equals(${LIST_SUPPRESSIONS}.list_id,"LIST01"),greater-than(${LIST_SUPPRESSIONS}.timestamp,2026-07-01T00:00:00Z)`,
    );
    assert.equal(request.query.get('sort'), null);
    assert.equal(request.query.get('page[cursor]'), 'c2');
  });

  it('are not asked for from a time without an offset', async () => {
    await assert.rejects(client.listSuppressed({ since: '2026-07-01T00:00:00' }), RangeError);
  });
});

describe('in the sandbox, people who were suppressed', () => {
  let sandbox: Sandbox;
  let asked: KlaviyoClient;

  before(async () => {
    sandbox = await startSandbox({
      lists: [
        { id: 'SINGLE', name: 'News' },
        { id: 'DOUBLE', name: 'Club' },
      ],
    });
    asked = clientOf(sandbox, { apiKey: sandbox.apiKey });
  });

  after(async () => {
    await asked.close();
    await sandbox.close();
  });

  it('are listed since a time, page by page and for a reason', async () => {
    const timestamp = new Date(Date.now() - 3_600_000).toISOString();
    for (let n = 0; n < 130; n++) {
      const reason = n % 2 === 0 ? 'UNSUBSCRIBE' : 'HARD_BOUNCE';
      sandbox.account.seed({ email: `s${n}@shop.test`, suppressions: [{ reason, timestamp }] });
    }
    sandbox.account.seed({
      email: 'before@shop.test',
      suppressions: [{ reason: 'UNSUBSCRIBE', timestamp: '2020-01-01T00:00:00Z' }],
    });
    const read = async (reason?: 'UNSUBSCRIBE') => {
      const names: (string | null)[] = [];
      let [cursor, pages]: [string | null, number] = [null, 0];
      do {
        const since = '2021-01-01T00:00:00Z';
        const page = await asked.listSuppressed({ since, cursor, ...(reason ? { reason } : {}) });
        names.push(...page.profiles.map(({ email }) => email));
        cursor = page.next;
        pages += 1;
      } while (cursor !== null);
      return { ours: names.filter((email) => email?.endsWith('@shop.test')), pages };
    };
    const all = await read();
    assert.deepEqual([new Set(all.ours).size, all.pages], [130, 2]);
    assert.equal((await read('UNSUBSCRIBE')).ours.length, 65);
  });

  it('from one list are listed since a time', async () => {
    for (const [name, listId, timestamp] of [
      ['left', 'SINGLE', '2024-01-02T00:00:00Z'],
      ['long-gone', 'SINGLE', '2023-01-02T00:00:00Z'],
      ['elsewhere', 'DOUBLE', '2024-01-02T00:00:00Z'],
    ] as const) {
      sandbox.account.seed({
        email: `${name}@shop.test`,
        lists: [listId],
        list_suppressions: [{ list_id: listId, reason: 'UNSUBSCRIBE', timestamp }],
      });
    }
    const page = await asked.listSuppressedOnList({
      listId: 'SINGLE',
      since: '2024-01-01T00:00:00Z',
    });
    assert.deepEqual(
      page.profiles.map(({ email, emailMarketing }) => [
        email,
        emailMarketing?.listSuppressions?.map(({ listId }) => listId),
      ]),
      [['left@shop.test', ['SINGLE']]],
    );
    assert.equal(page.next, null);
  });
});
