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
  API_KEY,
  clientOf,
  empty,
  errors,
  html,
  json,
  KlaviyoServer,
  OpenLimiter,
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

describe('every call', () => {
  it('carries the key, the revision and the JSON:API headers', async () => {
    server.answer(empty(202));
    await client.unsubscribeProfiles({
      listId: null,
      profiles: [{ email: 'ada@example.com', channels: ['email'] }],
    });
    const { headers } = server.only();
    assert.equal(headers.authorization, `Klaviyo-API-Key ${API_KEY}`);
    assert.equal(headers.revision, '2026-10-15');
    assert.equal(headers.accept, 'application/vnd.api+json');
    assert.equal(headers['content-type'], 'application/vnd.api+json');
    assert.equal(headers['user-agent'], 'consentry/1.2.3');
  });

  it('asks for a 410 rather than the shape of another revision', async () => {
    server.answer(json(200, { data: [] }));
    await client.listMetrics();
    assert.equal(server.only().headers['x-klaviyo-revision-fall-forward-opt-out'], '1');
    server.answer(empty(202));
    await client.unsubscribeProfiles({
      listId: null,
      profiles: [{ email: 'ada@example.com', channels: ['email'] }],
    });
    assert.equal(server.only().headers['x-klaviyo-revision-fall-forward-opt-out'], '1');
  });

  it('asks the limiter first and is recorded with its status and time', async () => {
    limiter.acquired.length = 0;
    calls.length = 0;
    server.answer(json(200, { data: { id: 'LIST01', attributes: { name: 'News' } } }));
    await client.getList('LIST01');
    assert.deepEqual(limiter.acquired, ['get_list']);
    assert.equal(calls.length, 1);
    assert.equal(calls[0]?.endpoint, 'get_list');
    assert.equal(calls[0]?.status, 200);
    assert.ok((calls[0]?.durationMs ?? -1) > 0);
  });
});

describe('the account', () => {
  const account = (contact: unknown) =>
    json(200, {
      data: [
        {
          type: 'account',
          id: 'AbC123',
          attributes: {
            timezone: 'US/Eastern',
            locale: 'en-US',
            contact_information: contact,
            test_account: true,
          },
        },
      ],
    });

  it('is read as its id, time zone, locale and country', async () => {
    server.answer(account({ organization_name: 'Example', street_address: { country: 'US' } }));
    assert.deepEqual(await client.getAccount(), {
      id: 'AbC123',
      timezone: 'US/Eastern',
      locale: 'en-US',
      country: 'US',
    });
    assert.equal(server.only().target, '/api/accounts');
  });

  it('is read without an address too', async () => {
    server.answer(account(null));
    assert.equal((await client.getAccount()).country, null);
  });

  it('must be there', async () => {
    server.answer(json(200, { data: [] }));
    await assert.rejects(client.getAccount(), KlaviyoAnswerUnexpectedError);
  });
});

describe('lists', () => {
  const list = (id: string, process: string | null) => ({
    type: 'list',
    id,
    attributes: { name: `List ${id}`, opt_in_process: process },
  });

  it('reads a list, its opt-in process and the flows that it starts', async () => {
    const flow = (id: string, archived: boolean) => ({
      type: 'flow',
      id,
      attributes: { name: `Flow ${id}`, status: 'live', archived },
    });
    server.answer(
      json(200, {
        data: list('LIST01', 'double_opt_in'),
        included: [flow('F1', false), flow('F2', true)],
      }),
    );
    assert.deepEqual(await client.getList('LIST01'), {
      id: 'LIST01',
      name: 'List LIST01',
      optInProcess: 'double_opt_in',
      flows: [{ id: 'F1', name: 'Flow F1', status: 'live' }],
    });
    assert.equal(server.only().path, '/api/lists/LIST01');
    assert.equal(server.only().query.get('include'), 'flow-triggers');
  });

  it('reads a list without its flows where the key may not see them', async () => {
    server.answer(
      errors(403, { code: 'permission_denied', title: 'No.' }),
      json(200, { data: list('LIST01', 'single_opt_in') }),
    );
    const read = await client.getList('LIST01');
    assert.deepEqual([read.optInProcess, read.flows], ['single_opt_in', null]);
    assert.equal(server.received[1]?.query.get('include'), null);
  });

  it('does not take an unknown opt-in process for single opt-in', async () => {
    server.answer(json(200, { data: list('LIST01', 'triple_opt_in') }));
    assert.equal((await client.getList('LIST01')).optInProcess, null);
  });

  for (const [name, responder] of [
    ['404', errors(404, { code: 'not_found', title: 'Not found.', pointer: '/data/' })],
    ['400', errors(400, { detail: 'A list with id LIST09 does not exist.' })],
  ] as const) {
    it(`says so where Klaviyo answers ${name} for a list that is not there`, async () => {
      server.answer(responder);
      await assert.rejects(client.getList('LIST09'), (error: Error) => {
        assert.ok(error instanceof ListNotFoundError);
        assert.equal(error.failure, 'ListNotFound');
        assert.match(error.message, /LIST09/);
        return true;
      });
    });
  }

  it('does not take the 404 of something else on the way for a missing list', async () => {
    server.answer(html(404));
    await assert.rejects(
      client.getList('LIST01'),
      (error: Error) => !(error instanceof ListNotFoundError) && /base URL/.test(error.message),
    );
  });

  for (const id of ['', '..', 'Newsletter subscribers', 'a/b', 'ada@example.com']) {
    it(`does not ask Klaviyo for "${id}", which is no id`, async () => {
      server.answer(json(200, { data: [] }));
      await assert.rejects(client.getList(id), (error: Error) => {
        assert.ok(error instanceof ListNotFoundError);
        return !error.message.includes('@');
      });
      assert.equal(server.received.length, 0);
    });
  }

  it('reads all lists, ten a page', async () => {
    const page = (from: number, next: string | null) =>
      json(200, {
        data: Array.from({ length: 10 }, (_, i) => list(`L${from + i}`, 'single_opt_in')),
        links: { self: server.url, next },
      });
    server.answer(
      page(0, `${server.url}/api/lists?page%5Bcursor%5D=abc&page%5Bsize%5D=10`),
      page(10, null),
    );
    const lists = await client.listLists();
    assert.equal(lists.length, 20);
    assert.equal(server.received[0]?.query.get('page[size]'), '10');
    assert.equal(server.received[1]?.target, '/api/lists?page%5Bcursor%5D=abc&page%5Bsize%5D=10');
  });
});

describe('the SMS set-up', () => {
  it('is asked for under the general revision, by the account id', async () => {
    server.answer(
      json(200, {
        data: {
          type: 'text-messaging-configuration',
          id: 'AbC123',
          attributes: { status: 'active' },
        },
      }),
    );
    assert.deepEqual(await client.getTextMessagingConfiguration('AbC123'), {
      readable: true,
      value: { id: 'AbC123', status: 'active' },
    });
    assert.equal(server.only().path, '/api/text-messaging-configurations/AbC123');
    assert.equal(server.only().headers.revision, '2026-10-15');
    assert.equal(server.only().headers['x-klaviyo-revision-fall-forward-opt-out'], '1');
  });

  it('lists senders with and without a country', async () => {
    const sender = (id: string, details: unknown) => ({
      type: 'text-messaging-sender',
      id,
      attributes: { sender_type: 'toll_free', status: 'active', sender_details: details },
    });
    server.answer(json(200, { data: [sender('s1', { country: 'US' }), sender('s2', null)] }));
    assert.deepEqual(await client.listTextMessagingSenders(), {
      readable: true,
      value: [
        { id: 's1', type: 'toll_free', status: 'active', country: 'US' },
        { id: 's2', type: 'toll_free', status: 'active', country: null },
      ],
    });
    assert.equal(server.only().query.get('page[size]'), '20');
  });

  for (const status of [400, 403, 404, 410]) {
    it(`is not readable, which is no error, where Klaviyo answers ${status}`, async () => {
      server.answer(errors(status, { code: 'permission_denied' }));
      const unreadable = { readable: false, status };
      assert.deepEqual(await client.listTextMessagingSenders(), unreadable);
      assert.deepEqual(await client.getTextMessagingConfiguration('AbC123'), unreadable);
    });
  }

  it('is an error where Klaviyo is down or does not know the key', async () => {
    server.answer(errors(401), html(502));
    await assert.rejects(client.listTextMessagingSenders(), { failure: 'KlaviyoKeyRefused' });
    await assert.rejects(client.listTextMessagingSenders(), { failure: 'KlaviyoUnavailable' });
  });
});

describe('writes', () => {
  const request = {
    listId: 'LIST01',
    customSource: 'run 1',
    historicalImport: false,
    profiles: [{ email: 'ada@example.com', channels: { email: { consentedAt: null } } }],
  };

  it('has a subscribe accepted, with what was dropped and the request id', async () => {
    server.answer(
      empty(202, { 'X-Klaviyo-Partial-Failure': 'phone_number', 'X-Klaviyo-Req-Id': 'req-1' }),
    );
    const { sentAt, ...accepted } = await client.subscribeProfiles(request);
    assert.ok(sentAt !== null);
    assert.deepEqual(accepted, {
      accepted: true,
      partialFailure: 'phone_number',
      requestId: 'req-1',
    });
    assert.equal(server.only().method, 'POST');
    assert.equal(server.only().path, '/api/profile-subscription-bulk-create-jobs');
    assert.match(JSON.stringify(server.only().body), /"custom_source":"run 1"/);
  });

  it('knows neither where the headers are not there', async () => {
    server.answer(empty(202));
    const { partialFailure, requestId } = await client.subscribeProfiles(request);
    assert.deepEqual([partialFailure, requestId], [null, null]);
  });

  it('imports onto a list', async () => {
    server.answer(
      json(202, { data: { type: 'profile-bulk-import-job', id: 'Sm9i/Mg==', attributes: {} } }),
    );
    const { jobId } = await client.importProfiles({
      listId: 'LIST01',
      profiles: [{ email: 'ada@example.com' }],
    });
    assert.equal(jobId, 'Sm9i/Mg==');
    assert.equal(server.only().path, '/api/profile-bulk-import-jobs');
  });

  it('are not sent above 5 MB', async () => {
    server.answer(empty(202));
    const profiles = Array.from({ length: 10_000 }, (_, i) => ({
      email: `${'x'.repeat(480)}${i}@example.com`,
    }));
    await assert.rejects(
      client.importProfiles({ listId: 'LIST01', profiles }),
      KlaviyoRequestInvalidError,
    );
    assert.equal(server.received.length, 0);
  });
});
