import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  KlaviyoAnswerUnexpectedError,
  type KlaviyoClient,
  KlaviyoRequestInvalidError,
  ListNotFoundError,
  type CallRecord,
} from '../../../src/klaviyo/index.js';
import {
  clientOf,
  errors,
  json,
  KlaviyoServer,
  OpenLimiter,
  profile,
} from '../../support/klaviyo/klaviyo-server.js';

let server: KlaviyoServer;
let client: KlaviyoClient;
const limiter = new OpenLimiter();
const calls: CallRecord[] = [];

before(async () => {
  server = await KlaviyoServer.start();
  client = clientOf(server, { limiter, onCall: (call) => calls.push(call), version: '1.2.3' });
});

after(async () => {
  await client.close();
  await server.stop();
});

describe('look-ups', () => {
  it('ask for 100 values a page, with subscriptions, and follow every page', async () => {
    const next = `${server.url}/api/profiles?filter=any%28email%2C%5B%22a%22%5D%29&page%5Bcursor%5D=c2`;
    server.answer(
      json(200, { data: [profile('01'), profile('02')], links: { next } }),
      json(200, {
        data: [profile('02'), profile('03', { email: 'ada@example.com' })],
        links: { next: next.replace('=c2', '=c3') },
      }),
      json(200, { data: [profile('03', { email: 'new@example.com' })], links: { next: null } }),
    );
    const profiles = await client.lookUpProfiles({
      by: 'email',
      values: ['o"neill+a@example.com', 'ada@example.com'],
    });
    assert.deepEqual(
      profiles.map(({ id, email }) => [id, email]),
      [
        ['01', null],
        ['02', null],
        ['03', 'ada@example.com'],
        ['03', 'new@example.com'],
      ],
      'a profile on two pages counts once, and with another address as another one',
    );
    const [first, second] = server.received;
    assert.equal(
      first?.query.get('filter'),
      'any(email,["o\\"neill+a@example.com","ada@example.com"])',
    );
    assert.equal(first?.query.get('additional-fields[profile]'), 'subscriptions');
    assert.match(first?.query.get('fields[profile]') ?? '', /subscriptions/);
    assert.equal(first?.query.get('page[size]'), '100');
    assert.equal(`${server.url}${second?.target}`, next);
  });

  it('by phone number keep the plus sign', async () => {
    server.answer(json(200, { data: [] }));
    await client.lookUpProfiles({ by: 'phone_number', values: ['+12015550123'] });
    assert.equal(server.only().query.get('filter'), 'any(phone_number,["+12015550123"])');
  });

  it('of long values are several calls, none with a long URL', async () => {
    server.answer(json(200, { data: [] }));
    const values = Array.from({ length: 100 }, (_, i) => `${'é'.repeat(60)}${i}@example.com`);
    await client.lookUpProfiles({ by: 'email', values });
    assert.ok(server.received.length > 1);
    for (const { target } of server.received) assert.ok(target.length < 8_000);
  });

  it('of nobody are no call, of more than 100 an error', async () => {
    server.answer(json(200, { data: [] }));
    assert.deepEqual(await client.lookUpProfiles({ by: 'email', values: [] }), []);
    const values = Array.from({ length: 101 }, (_, i) => `p${i}@example.com`);
    await assert.rejects(
      client.lookUpProfiles({ by: 'email', values }),
      KlaviyoRequestInvalidError,
    );
    assert.equal(server.received.length, 0);
  });

  it('do not send the key to another host', async () => {
    const other = await KlaviyoServer.start();
    other.answer(json(200, { data: [] }));
    try {
      server.answer(json(200, { data: [], links: { next: `${other.url}/api/profiles?page=2` } }));
      await assert.rejects(
        client.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }),
        (error: Error) =>
          error instanceof KlaviyoAnswerUnexpectedError && error.message.includes(other.url),
      );
      assert.deepEqual([server.received.length, other.received.length], [1, 0]);
    } finally {
      await other.stop();
    }
  });

  it('do not go round in circles', async () => {
    const next = `${server.url}/api/profiles?page%5Bcursor%5D=again`;
    server.answer(json(200, { data: [], links: { next } }));
    await assert.rejects(
      client.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }),
      /already read/,
    );
  });

  it('stop where Klaviyo left the subscriptions out, naming the field and nobody', async () => {
    const bare = { type: 'profile', id: '01', attributes: { email: 'ada@example.com' } };
    server.answer(json(200, { data: [bare] }));
    await assert.rejects(
      client.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }),
      (error: Error) => {
        assert.ok(error instanceof KlaviyoAnswerUnexpectedError);
        assert.match(error.message, /data\.0\.attributes\.subscriptions/);
        return !error.message.includes('ada');
      },
    );
  });
});

describe('members of a list', () => {
  it('are read a page at a time, with the microseconds of when they joined', async () => {
    const member = profile('01', { joined_group_at: '2026-07-01T10:00:00.852051+00:00' });
    server.answer(
      json(200, {
        data: [member],
        links: { next: `${server.url}/api/lists/LIST01/profiles?page%5Bcursor%5D=bmV4dDo6%3D` },
      }),
      json(200, { data: [], links: {} }),
    );
    const query = { listId: 'LIST01', joinedSince: '2026-07-01T09:59:00.5+00:00' };
    const page = await client.listMembers(query);
    assert.equal(page.profiles[0]?.joinedAt, '2026-07-01T10:00:00.852051+00:00');
    assert.equal(page.next, 'bmV4dDo6=');
    const last = await client.listMembers({ ...query, cursor: page.next });
    assert.equal(last.next, null);

    const [first, second] = server.received;
    assert.equal(
      first?.query.get('filter'),
      'greater-or-equal(joined_group_at,2026-07-01T09:59:00.5Z)',
    );
    assert.equal(first?.query.get('page[cursor]'), null);
    assert.equal(second?.query.get('page[cursor]'), 'bmV4dDo6=');
    assert.equal(second?.query.get('filter'), first?.query.get('filter'));
  });

  it('are read from the beginning without a date', async () => {
    server.answer(json(200, { data: [] }));
    await client.listMembers({ listId: 'LIST01', joinedSince: null });
    assert.equal(server.only().query.get('filter'), null);
  });

  it('are looked up by their identifiers', async () => {
    const joined = { joined_group_at: '2026-07-01T10:00:00.852051+00:00' };
    server.answer(json(200, { data: [profile('01', joined)] }));
    const members = await client.lookUpMembers({
      listId: 'LIST01',
      by: 'email',
      values: ['ada@example.com', 'grace@example.org'],
    });
    assert.deepEqual(
      members.map(({ id, joinedAt }) => [id, joinedAt]),
      [['01', joined.joined_group_at]],
    );
    assert.equal(server.only().path, '/api/lists/LIST01/profiles');
    assert.equal(
      server.only().query.get('filter'),
      'any(email,["ada@example.com","grace@example.org"])',
    );
    assert.equal(server.only().query.get('additional-fields[profile]'), 'subscriptions');
  });

  it('of a list that is not there are an error', async () => {
    server.answer(errors(404, { code: 'not_found' }));
    const query = { listId: 'LIST09', by: 'email', values: ['ada@example.com'] } as const;
    await assert.rejects(client.lookUpMembers(query), ListNotFoundError);
    await assert.rejects(
      client.listMembers({ listId: 'LIST09', joinedSince: null }),
      ListNotFoundError,
    );
  });
});
