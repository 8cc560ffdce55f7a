import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestMoment } from '../../src/index.js';
import { call, consentOf, get, HOUR, row, sandboxFor, subscribe } from '../support.js';

const email = 'ada@shop.test';
const FILTER = `/api/profiles?filter=equals(email,"${email}")`;
const inWords = ({ number, operation, moment }: RequestMoment) =>
  `${number} ${operation} ${moment}`;

describe('onRequest', () => {
  it('is called before and after each request to an operation, in order', async (t) => {
    const moments: string[] = [];
    const onRequest = (request: RequestMoment) => void moments.push(inWords(request));
    const sandbox = await sandboxFor(t, { onRequest });
    await get(sandbox, FILTER);
    await subscribe(sandbox, [row({ email })]);
    await fetch(`${sandbox.url}/sandbox/truth`);
    await call(sandbox, 'GET', '/api/nothing');
    await get(sandbox, '/api/lists');
    assert.deepEqual(moments, [
      '1 get_profiles before',
      '1 get_profiles after',
      '2 bulk_subscribe_profiles before',
      '2 bulk_subscribe_profiles after',
      '3 get_lists before',
      '3 get_lists after',
    ]);
  });

  it('can change what a request finds, and what the next one does', async (t) => {
    const found: number[] = [];
    const sandbox = await sandboxFor(t, {
      async onRequest({ number, moment }) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (number === 2 && moment === 'before') sandbox.account.seed({ email });
        if (number === 2 && moment === 'after') sandbox.account.profiles.remove(0);
      },
    });
    for (let i = 0; i < 3; i++) found.push((await get(sandbox, FILTER)).data.length);
    assert.deepEqual(found, [0, 1, 0]);
  });

  it('comes after the request was carried out and before it is answered', async (t) => {
    const seen: (string | undefined)[] = [];
    let answered = false;
    const sandbox = await sandboxFor(t, {
      async onRequest({ moment }) {
        if (moment === 'before') seen.push(consentOf(sandbox, email)?.email);
        else {
          sandbox.account.advance(HOUR);
          seen.push(consentOf(sandbox, email)?.email);
          await new Promise((resolve) => setTimeout(resolve, 30));
          assert.equal(answered, false);
        }
      },
    });
    const answer = await subscribe(sandbox, [row({ email })], { list: 'Single' });
    answered = true;
    assert.equal(answer.status, 202);
    assert.deepEqual(seen, [undefined, 'SUBSCRIBED']);
  });

  it('can skip time: due effects are applied before the request', async (t) => {
    const sandbox = await sandboxFor(t, {
      onRequest({ number, moment }) {
        if (number === 2 && moment === 'before') sandbox.account.clock.advance(HOUR);
      },
    });
    await subscribe(sandbox, [row({ email })], { list: 'Single' });
    assert.equal((await get(sandbox, FILTER)).data.length, 1);
  });

  it('is also called for requests that are refused or stopped by a fault', async (t) => {
    const moments: string[] = [];
    const onRequest = (request: RequestMoment) => void moments.push(inWords(request));
    const sandbox = await sandboxFor(t, { onRequest });
    sandbox.account.addFault({ kind: '503', endpoint: 'get_lists' });
    sandbox.account.addFault({ kind: 'reset_before', endpoint: 'get_profiles' });
    assert.equal((await call(sandbox, 'GET', '/api/lists')).status, 503);
    await assert.rejects(call(sandbox, 'GET', FILTER));
    const wrongKey = { authorization: 'Klaviyo-API-Key pk_other' };
    assert.equal((await call(sandbox, 'GET', FILTER, undefined, wrongKey)).status, 401);
    assert.deepEqual(
      moments,
      ['1 get_lists', '2 get_profiles', '3 get_profiles'].flatMap((name) => [
        `${name} before`,
        `${name} after`,
      ]),
    );
  });

  it('is called after the fault was chosen: a fault that it adds hits the next request', async (t) => {
    const sandbox = await sandboxFor(t, {
      onRequest({ number, moment }) {
        if (number === 1 && moment === 'before') sandbox.account.addFault({ kind: '500' });
      },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await call(sandbox, 'GET', FILTER)).status);
    assert.deepEqual(statuses, [200, 500, 200]);
  });

  it('numbers requests in order of arrival, even if one of them is held', async (t) => {
    let arrive = (): void => undefined;
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const held = new Promise<void>((resolve) => (release = resolve));
    const done: string[] = [];
    const sandbox = await sandboxFor(t, {
      async onRequest({ number, operation, moment }) {
        if (moment === 'after') done.push(`${number} ${operation}`);
        else if (number === 1) {
          arrive();
          await held;
        }
      },
    });
    const first = get(sandbox, FILTER);
    await arrived;
    await get(sandbox, '/api/lists');
    release();
    await first;
    assert.deepEqual(done, ['2 get_lists', '1 get_profiles']);
  });

  it('causes a 500 with its message if it throws, and stops the request', async (t) => {
    const sandbox = await sandboxFor(t, {
      onRequest() {
        throw new Error('the test went wrong');
      },
    });
    t.mock.method(process.stderr, 'write', () => true);
    const answer = await subscribe(sandbox, [row({ email })], { list: 'Single' });
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /the test went wrong/);
    assert.equal([...sandbox.account.subscribed()].length, 0);
  });
});
