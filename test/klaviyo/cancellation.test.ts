import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  ENDPOINTS,
  LimiterBusyError,
  type KlaviyoClient,
  type RateLimiter,
} from '../../src/klaviyo/index.js';
import {
  clientOf,
  empty,
  json,
  KlaviyoServer,
  type Responder,
} from '../support/klaviyo/klaviyo-server.js';
import { createLocalLimiter } from '../support/klaviyo/local-limiter.js';

let server: KlaviyoServer;
let client: KlaviyoClient;
const reason = new Error('cancelled by the operator');

before(async () => {
  server = await KlaviyoServer.start();
  client = clientOf(server);
});

after(async () => {
  await client.close();
  await server.stop();
});

const request = {
  listId: null,
  profiles: [{ email: 'ada@example.com', channels: ['email'] as const }],
};

/** Tells when a request has arrived, and answers it only when told to. */
function held(answer: Responder) {
  let arrived: () => void = () => {};
  let release: () => void = () => {};
  const arrival = new Promise<void>((resolve) => (arrived = resolve));
  const responder: Responder = (received, response) => {
    release = () => answer(received, response);
    arrived();
  };
  return { responder, arrival, release: () => release() };
}

describe('cancelling', () => {
  it('sends nothing while the limiter is waited for', async () => {
    const limiter: RateLimiter = {
      acquire: (_endpoint, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
      penalise: async () => {},
    };
    const waiting = clientOf(server, { limiter });
    server.answer(empty(202));
    const abort = new AbortController();
    const call = waiting.unsubscribeProfiles(request, { signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(call, reason);
    assert.equal(server.received.length, 0);
    await waiting.close();
  });

  it('sends nothing where it came before the call', async () => {
    server.answer(empty(202));
    const call = client.unsubscribeProfiles(request, { signal: AbortSignal.abort(reason) });
    await assert.rejects(call, reason);
    assert.equal(server.received.length, 0);
  });

  it('sends nothing where it came as the limiter let the call go', async () => {
    const abort = new AbortController();
    const limiter: RateLimiter = {
      acquire: async () => abort.abort(reason),
      penalise: async () => {},
    };
    const late = clientOf(server, { limiter });
    server.answer(empty(202));
    await assert.rejects(late.unsubscribeProfiles(request, { signal: abort.signal }), reason);
    assert.equal(server.received.length, 0);
    await late.close();
  });

  it('lets a write that is on the wire end', async () => {
    const answer = held(empty(202));
    server.answer(answer.responder);
    const abort = new AbortController();
    const call = client.unsubscribeProfiles(request, { signal: abort.signal });
    await answer.arrival;
    abort.abort(reason);
    answer.release();
    assert.equal((await call).accepted, true);
  });

  it('ends such a write at its time-out', async () => {
    const hasty = clientOf(server, { timeoutMs: 300 });
    const answer = held(empty(202));
    server.answer(answer.responder);
    const abort = new AbortController();
    const call = hasty.unsubscribeProfiles(request, { signal: abort.signal });
    await answer.arrival;
    abort.abort(reason);
    await assert.rejects(call, { failure: 'KlaviyoUnavailable', ambiguous: true });
    await hasty.close();
  });

  it('ends a write on the wire where the caller wants it so', async () => {
    const answer = held(empty(202));
    server.answer(answer.responder);
    const abort = new AbortController();
    const call = client.unsubscribeProfiles(request, { signal: abort.signal, abortInFlight: true });
    await answer.arrival;
    abort.abort(reason);
    await assert.rejects(call, reason);
  });

  it('ends a read on the wire', async () => {
    const answer = held(json(200, { data: [] }));
    server.answer(answer.responder);
    const abort = new AbortController();
    const call = client.lookUpProfiles(
      { by: 'email', values: ['ada@example.com'] },
      { signal: abort.signal },
    );
    await answer.arrival;
    abort.abort(reason);
    await assert.rejects(call, reason);
  });

  it('ends a read whose answer has begun', async () => {
    const abort = new AbortController();
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.api+json' });
      response.write('{"data":[', () => setImmediate(() => abort.abort(reason)));
    });
    const call = client.lookUpProfiles(
      { by: 'email', values: ['ada@example.com'] },
      { signal: abort.signal },
    );
    await assert.rejects(call, reason);
  });

  it('reads no further page', async () => {
    const abort = new AbortController();
    server.answer((received, response) => {
      const next = `${server.url}/api/lists?page%5Bcursor%5D=${server.received.length}`;
      if (server.received.length === 3) abort.abort(reason);
      json(200, { data: [], links: { next } })(received, response);
    });
    await assert.rejects(client.listLists({ signal: abort.signal }), reason);
    assert.equal(server.received.length, 3);
  });

  it('leaves the connections usable', async () => {
    server.answer(empty(202));
    assert.equal((await client.unsubscribeProfiles(request)).accepted, true);
  });
});

describe('a busy limiter', () => {
  it('is told to the caller, and nothing is sent', async () => {
    const busy = clientOf(server, {
      limiter: createLocalLimiter(ENDPOINTS, 1, { maxWaitMs: 0 }),
    });
    server.answer(json(200, { data: [{ id: 'AbC123', attributes: {} }] }));
    await busy.getAccount();
    await assert.rejects(busy.getAccount(), LimiterBusyError);
    assert.equal(server.received.length, 1);
    await busy.close();
  });
});
