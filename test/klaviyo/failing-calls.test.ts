import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import {
  EndpointPausedError,
  KlaviyoKeyRefusedError,
  KlaviyoUnavailableError,
  LimiterBusyError,
  type CallRecord,
  type KlaviyoClient,
  type KlaviyoClientOptions,
  type RateLimiter,
} from '../../src/klaviyo/index.js';
import {
  clientOf,
  cutShort,
  empty,
  errors,
  html,
  json,
  KlaviyoServer,
  OpenLimiter,
  profile,
  reset,
  silence,
  throttled,
  type Responder,
} from '../support/klaviyo/klaviyo-server.js';

let server: KlaviyoServer;
let limiter: OpenLimiter;
let calls: CallRecord[];
const clients: KlaviyoClient[] = [];

before(async () => {
  server = await KlaviyoServer.start();
});

beforeEach(() => {
  limiter = new OpenLimiter();
  calls = [];
});

after(async () => {
  for (const client of clients) await client.close();
  await server.stop();
});

function patient(options: Partial<KlaviyoClientOptions> = {}): KlaviyoClient {
  const client = clientOf(server, {
    limiter,
    onCall: (call) => calls.push(call),
    timeoutMs: 2_000,
    ...options,
    patience: { retryMs: 1, ...options.patience },
  });
  clients.push(client);
  return client;
}

const read = (client: KlaviyoClient, signal?: AbortSignal) =>
  client.lookUpProfiles({ by: 'email', values: ['ada@example.com'] }, signal ? { signal } : {});
const unsubscribe = (client: KlaviyoClient) =>
  client.unsubscribeProfiles({
    listId: null,
    profiles: [{ email: 'ada@example.com', channels: ['email'] }],
  });
const importPeople = (client: KlaviyoClient) =>
  client.importProfiles({ listId: 'LIST01', profiles: [{ email: 'ada@example.com' }] });

const found = json(200, { data: [profile('01')] });
const broken: readonly [string, Responder, number | null][] = [
  ['a 502', html(502), 502],
  ['a 503', errors(503, { code: 'unavailable' }), 503],
  ['a 500 that is cut short', cutShort(500, '{"err'), 500],
  ['an empty 504', empty(504), 504],
  ['a 408', html(408), 408],
  ['a reset', reset, null],
  ['silence', silence, null],
  ['a page in place of JSON', html(200), 200],
  ['a truncated answer', cutShort(200, '{"data":['), null],
  ['an empty answer', empty(200), 200],
];

describe('a read', () => {
  for (const [what, responder, status] of broken) {
    it(`is made again after ${what}, past the limiter and told each time`, async () => {
      server.answer(responder, responder, found);
      // Only what stays silent is waited for; a slow machine may need a while for all else.
      const profiles = await read(patient({ timeoutMs: what === 'silence' ? 500 : 20_000 }));
      assert.deepEqual(
        profiles.map(({ id }) => id),
        ['01'],
      );
      assert.equal(server.received.length, 3);
      assert.deepEqual(limiter.acquired, Array(3).fill('get_profiles'));
      // A status that came is known, whatever became of the body.
      const seen = calls.map((call) => call.status);
      assert.deepEqual(seen.at(-1), 200);
      if (what !== 'a truncated answer') assert.deepEqual(seen.slice(0, 2), [status, status]);
    });
  }

  it('fails with the last error after four tries', async () => {
    server.answer(reset, reset, reset, html(502));
    await assert.rejects(
      read(patient()),
      (error: unknown) => error instanceof KlaviyoUnavailableError && error.status === 502,
    );
    assert.equal(server.received.length, 4);
  });

  for (const [what, responder] of [
    ['a 400', errors(400, { code: 'invalid' })],
    ['a refused key', errors(401, { code: 'authentication_failed' })],
    ['a missing scope', errors(403, { code: 'permission_denied' })],
    ['a 410', errors(410, { code: 'gone' })],
    ['a 429', throttled({ 'retry-after': '1' })],
    ['an answer of another shape', json(200, { data: [{ id: 1 }] })],
    [
      'a 503 that asks to wait for longer than a caller is held',
      empty(503, { 'retry-after': '11' }),
    ],
  ] as const) {
    it(`is not made again after ${what}`, async () => {
      server.answer(responder, found);
      await assert.rejects(read(patient()));
      assert.equal(server.received.length, 1);
    });
  }

  it('waits for as long as a 503 asks', async () => {
    server.answer(empty(503, { 'retry-after': '1' }), found);
    const began = performance.now();
    await read(patient());
    assert.ok(performance.now() - began >= 999);
  });

  it('is not made again where it is cancelled meanwhile', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled by the operator');
    server.answer(empty(503, { 'retry-after': '9' }), found);
    // When the answer has been read, and the wait has begun.
    const client = patient({ onCall: () => setImmediate(() => abort.abort(reason)) });
    const began = performance.now();
    await assert.rejects(read(client, abort.signal), reason);
    assert.ok(performance.now() - began < 8_000, 'waited to the end');
    assert.equal(server.received.length, 1);
  });

  it('is given back where the limiter has no call for another try', async () => {
    let grants = 1;
    const busy: RateLimiter = {
      async acquire(endpoint) {
        if (grants-- === 0) throw new LimiterBusyError(endpoint, 7_000);
      },
      penalise: async () => {},
    };
    server.answer(reset, found);
    await assert.rejects(read(patient({ limiter: busy })), LimiterBusyError);
    assert.equal(server.received.length, 1);
  });

  it('that hangs costs a fifth of the time-out, and a write all of it', async () => {
    const client = patient({ timeoutMs: 1_000 });
    server.answer(silence, found);
    await read(client);
    const [first] = calls;
    assert.ok(first !== undefined && first.status === null);
    assert.ok(first.durationMs >= 195 && first.durationMs < 950, `${first.durationMs} ms`);

    server.answer(silence);
    await assert.rejects(unsubscribe(client), { ambiguous: true });
    const last = calls.at(-1);
    assert.ok(last !== undefined && last.durationMs >= 995, `${last?.durationMs} ms`);
  });

  it('of several pages goes on where it was', async () => {
    const next = `${server.url}/api/profiles?page%5Bcursor%5D=c2`;
    server.answer(
      json(200, { data: [profile('01')], links: { next } }),
      html(502),
      json(200, { data: [profile('02')] }),
    );
    const profiles = await read(patient());
    assert.deepEqual(
      profiles.map(({ id }) => id),
      ['01', '02'],
    );
    assert.equal(`${server.url}${server.received[2]?.target}`, next);
  });
});

describe('a write', () => {
  for (const [what, responder] of broken) {
    if (what === 'a page in place of JSON' || what === 'an empty answer') continue;
    if (what === 'a truncated answer') continue;
    it(`is never made again after ${what}`, async () => {
      server.answer(responder, empty(202));
      await assert.rejects(unsubscribe(patient({ timeoutMs: 300 })), { ambiguous: true });
      assert.equal(server.received.length, 1);
    });
  }

  it('whose answer should name a job is not made again either', async () => {
    server.answer(html(502), json(202, { data: { id: 'JOB01' } }));
    await assert.rejects(importPeople(patient()), { ambiguous: true });
    assert.equal(server.received.length, 1);
  });
});

describe('an endpoint that keeps failing', () => {
  const PAUSED = { tries: 1, failuresInRow: 3, pauseMs: 60_000, longestPauseMs: 60_000 };

  async function failThrice(client: KlaviyoClient, responder: Responder): Promise<void> {
    server.answer(responder);
    for (let n = 0; n < 3; n++) {
      await assert.rejects(read(client), (error) => !(error instanceof EndpointPausedError));
    }
    server.answer(found);
  }

  for (const [what, responder] of broken) {
    it(`is left alone after ${what} three times, and the others are not`, async () => {
      const client = patient({ timeoutMs: 100, patience: PAUSED });
      await failThrice(client, responder);
      await assert.rejects(read(client), EndpointPausedError);
      assert.equal(server.received.length, 0);
      assert.equal(limiter.acquired.length, 3, 'a call of the limit was spent on it');
      await client.listMembers({ listId: 'LIST01', joinedSince: null });
    });
  }

  for (const [what, responder] of [
    ['refused keys', errors(401, { code: 'authentication_failed' })],
    ['missing scopes', errors(403, { code: 'permission_denied' })],
    ['refused requests', errors(400, { code: 'invalid' })],
    ['answers of another shape', json(200, { data: [{ id: 1 }] })],
    ['rate limits', throttled({ 'retry-after': '1' })],
  ] as const) {
    it(`is not one of ${what}`, async () => {
      const client = patient({ patience: PAUSED });
      await failThrice(client, responder);
      assert.equal((await read(client)).length, 1);
    });
  }

  for (const [what, responder] of [
    ['a refused key', errors(401, { code: 'authentication_failed' })],
    ['a rate limit', throttled({ 'retry-after': '1' })],
  ] as const) {
    it(`is no better for ${what} meanwhile`, async () => {
      const client = patient({ patience: PAUSED });
      server.answer(reset, reset, responder, reset);
      for (let n = 0; n < 4; n++) await assert.rejects(read(client));
      await assert.rejects(read(client), EndpointPausedError);
    });
  }

  it('is called as before after one success', async () => {
    const client = patient({ patience: { ...PAUSED, pauseMs: 1, longestPauseMs: 1 } });
    await failThrice(client, reset);
    await Promise.all(Array.from({ length: 20 }, () => read(client)));
    assert.equal(server.received.length, 20);
  });

  it('gets one call of many until it answers', async () => {
    const client = patient({ patience: { ...PAUSED, pauseMs: 1, longestPauseMs: 1 } });
    await failThrice(client, reset);
    let most = 0;
    let open = 0;
    server.answer((received, response) => {
      open += 1;
      most = Math.max(most, open);
      response.on('close', () => (open -= 1));
      setTimeout(() => reset(received, response), 5);
    });
    const settled = await Promise.allSettled(Array.from({ length: 30 }, () => read(client)));
    assert.ok(settled.every(({ status }) => status === 'rejected'));
    assert.equal(server.received.length, 30);
    assert.equal(most, 1);
  });

  it('gets no write that would be lost: it is surely unsent', async () => {
    const client = patient({ patience: PAUSED });
    server.answer(html(502));
    for (let n = 0; n < 3; n++) await assert.rejects(unsubscribe(client), { ambiguous: true });
    server.answer(empty(202));
    await assert.rejects(
      unsubscribe(client),
      (error: unknown) => error instanceof EndpointPausedError && !error.ambiguous,
    );
    assert.equal(server.received.length, 0);
  });

  it('is not called by those who waited for the limiter while it began to fail', async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let asked: () => void = () => {};
    const arrival = new Promise<void>((resolve) => (asked = resolve));
    const gates = [gate];
    const slow: RateLimiter = {
      async acquire() {
        asked();
        await gates.shift();
      },
      penalise: async () => {},
    };
    const client = patient({ limiter: slow, patience: PAUSED });
    const waiting = read(client);
    await arrival;
    await failThrice(client, reset);
    release();
    await assert.rejects(waiting, EndpointPausedError);
    assert.equal(server.received.length, 0);
  });

  it('is probed by the next where the limiter had no call for the first', async () => {
    const refusals = [false, false, false, true];
    const busy: RateLimiter = {
      async acquire(endpoint) {
        if (refusals.shift() === true) throw new LimiterBusyError(endpoint, 7_000);
      },
      penalise: async () => {},
    };
    const client = patient({
      limiter: busy,
      patience: { ...PAUSED, pauseMs: 1, longestPauseMs: 1 },
    });
    await failThrice(client, reset);
    await assert.rejects(read(client), LimiterBusyError);
    assert.equal((await read(client)).length, 1);
  });

  it('keeps a refused key the error that it is', async () => {
    const client = patient({ patience: PAUSED });
    server.answer(errors(401, { code: 'authentication_failed' }));
    for (let n = 0; n < 10; n++) await assert.rejects(read(client), KlaviyoKeyRefusedError);
    assert.equal(server.received.length, 10);
  });
});
