import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  type KlaviyoClient,
  KlaviyoError,
  KlaviyoKeyRefusedError,
  KlaviyoRateLimitedError,
  KlaviyoRefusedError,
  KlaviyoScopeMissingError,
  KlaviyoSettingsError,
  KlaviyoUnavailableError,
} from '../../src/klaviyo/index.js';
import {
  API_KEY,
  clientOf,
  cutShort,
  empty,
  errors,
  html,
  json,
  KlaviyoServer,
  OpenLimiter,
  reset,
  silence,
  throttled,
  type Responder,
} from '../support/klaviyo/klaviyo-server.js';

const EMAIL = 'ada.lovelace@example.com';
const PHONE = '+12015550123';

let server: KlaviyoServer;
let client: KlaviyoClient;
const limiter = new OpenLimiter();

before(async () => {
  server = await KlaviyoServer.start();
  // What comes of one try, whatever came before it.
  const patience = { tries: 1, failuresInRow: Infinity };
  client = clientOf(server, { limiter, timeoutMs: 400, patience });
});

after(async () => {
  await client.close();
  await server.stop();
});

const read = (on: KlaviyoClient = client) => on.lookUpProfiles({ by: 'email', values: [EMAIL] });
const write = (on: KlaviyoClient = client) =>
  on.subscribeProfiles({
    listId: null,
    customSource: 'run 1',
    historicalImport: false,
    profiles: [
      {
        email: EMAIL,
        phoneNumber: PHONE,
        channels: { email: { consentedAt: null }, sms: { consentedAt: null } },
      },
    ],
  });

async function failureOf(call: Promise<unknown>): Promise<KlaviyoError> {
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KlaviyoError, inspect(error));
  for (const secret of [EMAIL, 'lovelace', PHONE, '2015550123', API_KEY, '<html>']) {
    for (const shown of [error.message, error.stack ?? '', inspect(error), JSON.stringify(error)]) {
      assert.ok(!shown.includes(secret), `"${secret}" is in: ${shown}`);
    }
  }
  return error;
}

describe('answers that are not a success', () => {
  it('tells a refused key, and where it was refused', async () => {
    server.answer(
      errors(401, {
        code: 'authentication_failed',
        title: 'Incorrect authentication credentials.',
        pointer: '/data/',
      }),
    );
    const error = await failureOf(read());
    assert.ok(error instanceof KlaviyoKeyRefusedError);
    assert.equal(error.failure, 'KlaviyoKeyRefused');
    assert.ok(error.message.startsWith(`KLAVIYO_API_KEY was refused (401) by ${server.url}: `));
  });

  it('names the scopes that the endpoint needs', async () => {
    server.answer(errors(403, { code: 'permission_denied' }));
    const error = await failureOf(write());
    assert.ok(error instanceof KlaviyoScopeMissingError);
    assert.deepEqual(error.scopes, ['lists:write', 'profiles:write', 'subscriptions:write']);
    assert.match(error.message, /lists:write, profiles:write, subscriptions:write/);
  });

  it('suspects a proxy where a 403 is not in the words of the API', async () => {
    server.answer(html(403));
    assert.match((await failureOf(write())).message, /proxy or firewall/);
  });

  it('lists what was refused by code, pointer and title, and keeps details for the splitter', async () => {
    const pointer = '/data/attributes/profiles/data/0/attributes/phone_number';
    server.answer(
      errors(
        400,
        { title: `Invalid input ${PHONE}.`, detail: `${PHONE} of ${EMAIL} is bad`, pointer },
        { pointer: `/data/${EMAIL}` },
        { title: `"Ada Lovelace" ${EMAIL}`, pointer },
        { pointer },
      ),
    );
    const error = await failureOf(write());
    assert.ok(error instanceof KlaviyoRefusedError);
    assert.match(error.message, /with 400: invalid at \S+phone_number \(Invalid input \[number\]/);
    assert.match(error.message, /invalid at \[pointer\]/);
    assert.match(error.message, /and 1 more/);
    assert.equal(error.apiErrors.length, 4);
    assert.deepEqual(error.apiErrors[0], {
      code: 'invalid',
      title: `Invalid input ${PHONE}.`,
      detail: `${PHONE} of ${EMAIL} is bad`,
      pointer,
      parameter: null,
    });
  });

  for (const [status, hint] of [
    [302, /redirects/],
    [404, /base URL/],
    [409, /pointers/],
    [410, /newer Consentry/],
    [413, /fewer rows/],
    [415, /content type/],
    [422, /pointers/],
  ] as const) {
    it(`counts ${status} as refused, and says what to do`, async () => {
      server.answer(errors(status, { code: 'some_code' }));
      const error = await failureOf(write());
      assert.ok(error instanceof KlaviyoRefusedError);
      assert.equal(error.status, status);
      assert.match(error.message, hint);
    });
  }

  it('never loses an error object that it cannot read', async () => {
    server.answer(json(400, { errors: ['no object', { source: null }, { code: 7 }] }));
    const error = await failureOf(write());
    assert.ok(error instanceof KlaviyoRefusedError);
    assert.deepEqual(
      error.apiErrors.map(({ code }) => code),
      ['unreadable', '', ''],
    );
  });

  it('does not take a refusal whose reasons were cut short for one about the request', async () => {
    server.answer(cutShort(400, '{"errors":['));
    const error = await failureOf(write());
    assert.ok(error instanceof KlaviyoUnavailableError);
    assert.equal(error.ambiguous, false);
  });

  it('does not leak a number in a pointer', async () => {
    server.answer(errors(400, { pointer: '/data/201-555-0123' }));
    assert.match((await failureOf(write())).message, /invalid at \[pointer\]/);
  });

  it('does not leak whatever Klaviyo writes into titles, codes and pointers', async () => {
    const secret = fc.constantFrom(
      EMAIL,
      PHONE,
      '201-555-0123',
      '(201) 555 0123',
      API_KEY,
      `"Ada Lovelace"`,
    );
    const around = fc.constantFrom('', ' ', '/', '[', "'", ':', 'invalid ', '=', '<');
    const text = fc.tuple(around, secret, around).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, text, text, async (title, code, pointer) => {
        server.answer(errors(400, { title, code, pointer }));
        const { message } = await failureOf(write());
        assert.doesNotMatch(message, /Lovelace|555|example\.com|0123456789abcdef/);
      }),
      { numRuns: 60 },
    );
  });
});

describe('429', () => {
  const inTwoMinutes = new Date(Date.UTC(2026, 6, 1, 10, 2, 0)).toUTCString();
  const now = new Date(Date.UTC(2026, 6, 1, 10, 0, 0)).toUTCString();
  const cases: readonly [string, Record<string, string>, number][] = [
    ['seconds', { 'retry-after': '7' }, 7_000],
    [
      'an HTTP date, by the clock of the answer',
      { 'retry-after': inTwoMinutes, date: now },
      120_000,
    ],
    ['nothing', {}, 10_000],
    ['nonsense', { 'retry-after': 'soon' }, 10_000],
    ['a negative number', { 'retry-after': '-5' }, 10_000],
    ['zero, which would be refused at once', { 'retry-after': '0' }, 1_000],
    ['a date in the past', { 'retry-after': now, date: inTwoMinutes }, 1_000],
    ['years', { 'retry-after': '99999999999' }, 3_600_000],
  ];
  for (const [name, headers, expected] of cases) {
    it(`waits ${expected} ms where Retry-After holds ${name}, and tells the limiter`, async () => {
      limiter.penalties.length = 0;
      server.answer(throttled(headers));
      const error = await failureOf(write());
      assert.ok(error instanceof KlaviyoRateLimitedError);
      assert.equal(error.retryAfterMs, expected);
      assert.deepEqual(limiter.penalties, [
        { endpoint: 'bulk_subscribe_profiles', retryAfterMs: expected },
      ]);
      assert.equal(server.received.length, 1, 'the client does not try again by itself');
    });
  }

  it('stays a 429 where the limiter cannot be told', async () => {
    const cause = new Error('the ledger is down');
    const broken = clientOf(server, {
      limiter: { acquire: async () => {}, penalise: () => Promise.reject(cause) },
    });
    server.answer(throttled({ 'retry-after': '3' }));
    const error = await failureOf(write(broken));
    assert.ok(error instanceof KlaviyoRateLimitedError);
    assert.equal(error.cause, cause);
    await broken.close();
  });
});

describe('no usable answer', () => {
  const cases: readonly { name: string; responder: Responder; status: number | null }[] = [
    { name: 'an HTML page for a 502', responder: html(502), status: 502 },
    { name: 'a 503', responder: errors(503, { code: 'unavailable' }), status: 503 },
    { name: 'a 500 that is cut short', responder: cutShort(500, '{"err'), status: 500 },
    { name: 'an empty 504', responder: empty(504), status: 504 },
    { name: 'a reset', responder: reset, status: null },
    { name: 'silence', responder: silence, status: null },
  ];
  for (const { name, responder, status } of cases) {
    it(`leaves a write ambiguous and a read not after ${name}`, async () => {
      server.answer(responder);
      for (const [call, ambiguous] of [
        [write, true],
        [read, false],
      ] as const) {
        const error = await failureOf(call());
        assert.ok(error instanceof KlaviyoUnavailableError, inspect(error));
        assert.equal(error.failure, 'KlaviyoUnavailable');
        assert.equal(error.ambiguous, ambiguous);
        assert.equal(error.status, status);
        assert.match(error.message, ambiguous ? /read back/ : /tried again/);
      }
    });
  }

  it('passes on how long a 503 asks to wait', async () => {
    server.answer(empty(503, { 'retry-after': '30' }));
    const error = await failureOf(write());
    assert.ok(error instanceof KlaviyoUnavailableError);
    assert.equal(error.retryAfterMs, 30_000);
  });

  for (const responder of [html(200), cutShort(200, '{"data":['), empty(200)]) {
    it('can try a read again whose answer is cut short or not JSON', async () => {
      server.answer(responder);
      const error = await failureOf(read());
      assert.ok(error instanceof KlaviyoUnavailableError);
      assert.equal(error.ambiguous, false);
    });
  }

  it('gives up on an answer that begins and never ends', async () => {
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.api+json' });
      response.write('{"data":[');
    });
    const error = await failureOf(read());
    assert.ok(error instanceof KlaviyoUnavailableError);
    assert.match(error.message, /no complete answer within 400 ms/);
  });

  it('takes a 202 as accepted even where its body breaks off', async () => {
    server.answer(cutShort(202, 'x'));
    assert.equal((await write()).accepted, true);
  });

  it('leaves an import ambiguous whose 202 does not say which job it is', async () => {
    for (const responder of [cutShort(202, '{"data":'), json(202, { data: {} })]) {
      server.answer(responder);
      const error = await failureOf(
        client.importProfiles({ listId: 'LIST01', profiles: [{ email: EMAIL }] }),
      );
      assert.ok(error instanceof KlaviyoUnavailableError);
      assert.equal(error.ambiguous, true);
    }
  });
});

describe('no connection', () => {
  async function expectUnsent(baseUrl: string, message: RegExp, timeoutMs = 5_000): Promise<void> {
    const calls: (number | null)[] = [];
    const lost = clientOf(
      { url: baseUrl },
      { timeoutMs, onCall: ({ status }) => calls.push(status) },
    );
    const error = await failureOf(write(lost));
    assert.ok(error instanceof KlaviyoUnavailableError);
    assert.equal(error.ambiguous, false);
    assert.match(error.message, message);
    assert.deepEqual(calls, [null]);
    await lost.close();
  }

  it('is not ambiguous where nothing listens', async () => {
    const gone = await KlaviyoServer.start();
    const { url } = gone;
    await gone.stop();
    await expectUnsent(url, /ECONNREFUSED.*no server listens/);
  });

  it('is not ambiguous where the name is not known', async () => {
    await expectUnsent('https://klaviyo.invalid', /(ENOTFOUND|EAI_AGAIN).*not known/);
  });

  it('is not ambiguous where TLS fails', async () => {
    await expectUnsent(server.url.replace('http:', 'https:'), /the TLS handshake failed/);
  });

  it('is not ambiguous where TLS never gets anywhere', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    await expectUnsent(`https://127.0.0.1:${port}`, /no connection/, 300);
    await new Promise((resolve) => mute.close(resolve));
  });
});

describe('settings', () => {
  for (const baseUrl of [
    '',
    'a.klaviyo.com',
    'ftp://a.klaviyo.com',
    'http://a.klaviyo.com',
    'https://a.klaviyo.com/api',
    'https://user:secret@a.klaviyo.com',
    'https://a.klaviyo.com/?x=1',
  ]) {
    it(`do not take "${baseUrl}" as the base URL`, () => {
      assert.throws(
        () => clientOf({ url: baseUrl }),
        (error: Error) => error instanceof KlaviyoSettingsError && !/secret/.test(error.message),
      );
    });
  }

  for (const apiKey of ['', 'pk_0123 4567', 'pk_01234567\n']) {
    it(`do not take ${JSON.stringify(apiKey)} as a key, and do not repeat it`, () => {
      assert.throws(
        () => clientOf(server, { apiKey }),
        (error: Error) => error instanceof KlaviyoSettingsError && !/0123/.test(error.message),
      );
    });
  }

  it('do not show the key when the client is inspected', () => {
    assert.ok(!inspect(client, { depth: 10, showHidden: true }).includes(API_KEY));
  });
});
