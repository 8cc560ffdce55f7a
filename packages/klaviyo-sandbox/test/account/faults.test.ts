import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { FaultQueue } from '../../src/account/requests/faults.js';
import { Clock } from '../../src/time/clock.js';
import { parseFault, type Fault } from '../../src/index.js';

const PARSED: [string, Fault][] = [
  ['502', { kind: '502' }],
  ['revoke_key', { kind: 'revoke_key' }],
  [
    '502:bulk_subscribe_profiles:times=3,after=10',
    { kind: '502', endpoint: 'bulk_subscribe_profiles', times: 3, after: 10 },
  ],
  ['429:share=0.2,forMs=60000', { kind: '429', share: 0.2, forMs: 60_000 }],
  [
    'slow:GET /api/lists/{id}:latencyMs=250',
    { kind: 'slow', endpoint: 'GET /api/lists/{id}', latencyMs: 250 },
  ],
  ['delete_list:listId=123456', { kind: 'delete_list', listId: '123456' }],
  [
    'unsubscribe_person:email=ada@shop.test,moment=after',
    { kind: 'unsubscribe_person', email: 'ada@shop.test', moment: 'after' },
  ],
  ['504:get_profiles:applied=true', { kind: '504', endpoint: 'get_profiles', applied: true }],
];
const MISTAKES: [string, RegExp][] = [
  ['', /must begin with a kind/],
  ['418', /kind must be one of 429, .+; got 418/],
  ['500:times', /no operation "times"/],
  ['500:times=', /times must be a whole number from 1, got /],
  ['500:times=0', /times must be a whole number from 1, got 0/],
  ['500:times=1.5', /times must be a whole number from 1, got 1.5/],
  ['500:times=1,times=2', /"times" appears twice/],
  ['500:get_profiles:often', /"often" in .+ must be name=value/],
  ['500:after=-1', /after must be a whole number from 0, got -1/],
  ['500:share=2', /share must be a number from 0 to 1, got 2/],
  ['500:share=half', /share must be a number from 0 to 1, got half/],
  ['500:forMs=-5', /forMs must be a number from 0, got -5/],
  ['500:tims=3', /no field "tims"/],
  ['500:retryAfter=3', /retryAfter goes with 429, 503 only, not with 500/],
  ['429:retryAfter=0', /retryAfter must be a whole number from 1/],
  ['500:latencyMs=3', /latencyMs goes with slow, slow_body only/],
  ['500:listId=abc', /listId goes with delete_list only/],
  ['500:email=a@shop.test', /email goes with unsubscribe_person only/],
  ['unsubscribe_person:moment=later', /moment must be before or after, got later/],
  ['429:applied=true', /applied goes with 500, .+ only, not with 429/],
  ['500:applied=1', /applied must be true or false, got 1/],
];

const clock = new Clock(1);
const queueOf = (...faults: Fault[]) => {
  const queue = new FaultQueue(new Set(['get_lists', 'get_profiles', 'GET /api/lists']), 7, clock);
  for (const fault of faults) queue.add(fault);
  return queue;
};
const kinds = (queue: FaultQueue, requests: number, operation = 'get_lists') =>
  Array.from({ length: requests }, () => queue.take('GET /api/lists', operation)?.kind ?? '-');

describe('parsing a fault', () => {
  for (const [text, fault] of PARSED) {
    it(`reads ${text}`, () => assert.deepEqual(parseFault(text), fault));
  }
  for (const [text, error] of MISTAKES) {
    it(`says what is wrong with "${text}"`, () => {
      assert.throws(() => queueOf(parseFault(text)), { name: 'RangeError', message: error });
    });
  }
});

describe('the queue of faults', () => {
  it('hits once by default', () => {
    assert.deepEqual(kinds(queueOf({ kind: '500' }), 3), ['500', '-', '-']);
  });

  it('counts the requests of its endpoint only, by operation or by method and path', () => {
    for (const endpoint of ['get_lists', 'GET /api/lists']) {
      const queue = queueOf({ kind: '500', endpoint, after: 1, times: 2 });
      assert.equal(queue.take('GET /api/profiles', 'get_profiles'), undefined);
      assert.deepEqual(kinds(queue, 4), ['-', '500', '500', '-']);
    }
  });

  it('goes on to the next fault when one is used up', () => {
    const queue = queueOf({ kind: '500', times: 2 }, { kind: '503' });
    assert.deepEqual(kinds(queue, 4), ['500', '500', '503', '-']);
    assert.deepEqual(queue.pending(), []);
  });

  it('returns what is left of each', () => {
    const queue = queueOf({ kind: '500', times: 3, after: 1 }, { kind: '429', share: 0.5 });
    kinds(queue, 2);
    const [failing, throttling] = queue.pending();
    assert.deepEqual(failing, { kind: '500', times: 2, after: 0 });
    assert.deepEqual(throttling, { kind: '429', share: 0.5, after: 0 });
  });

  it('hits a share of the requests, the same ones for the same seed', () => {
    const storm = () => kinds(queueOf({ kind: '429', share: 0.3 }), 1_000);
    const hit = storm().filter((kind) => kind === '429').length;
    assert.ok(hit > 240 && hit < 360, `${hit} of 1,000`);
    assert.deepEqual(storm(), storm());
    assert.notDeepEqual(
      kinds(queueOf({ kind: '500' }, { kind: '429', share: 0.3 }), 1_000),
      storm(),
    );
    assert.deepEqual(new Set(kinds(queueOf({ kind: '429', share: 0 }), 50)), new Set(['-']));
    const limited = kinds(queueOf({ kind: '429', share: 0.5, times: 3 }), 100);
    assert.equal(limited.filter((kind) => kind === '429').length, 3);
  });

  it('ends after its span of Klaviyo’s time', () => {
    const queue = queueOf({ kind: '503', forMs: 60_000 });
    assert.deepEqual(kinds(queue, 2), ['503', '503']);
    clock.advance(59_000);
    assert.deepEqual(kinds(queue, 1), ['503']);
    clock.advance(2_000);
    assert.deepEqual(queue.pending(), []);
    assert.deepEqual(kinds(queue, 1), ['-']);
  });

  it('keeps a fault as it was queued', () => {
    const fault: Fault = { kind: '500', times: 1 };
    const queue = queueOf(fault);
    fault.kind = '503';
    assert.deepEqual(kinds(queue, 1), ['500']);
    assert.equal(fault.times, 1);
  });
});

test('a queue refuses invalid fields that only JSON can have', () => {
  for (const given of [null, 'slow', [], { kind: 500 }]) {
    assert.throws(() => queueOf(given as unknown as Fault), /kind must be one of/);
  }
});
