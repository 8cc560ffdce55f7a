import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLatency, type Latency } from '../../src/index.js';
import { Latencies } from '../../src/settings/latency.js';
import { call, sandboxFor } from '../support.js';

const ENDPOINTS = new Set(['get_lists', 'GET /api/lists', 'get_profiles']);

function draws(latency: Latency | Latency[], seed = 1, times = 4_000): number[] {
  const latencies = new Latencies(seed, ENDPOINTS);
  latencies.set([latency].flat());
  return Array.from({ length: times }, () => latencies.next('GET /api/lists', 'get_lists'));
}
const percentile = (numbers: number[], share: number) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)]!;
const isNear = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) < wanted * 0.06, `${actual} is not near ${wanted}`);

const PARSED: [string, Latency][] = [
  ['constant:ms=200', { kind: 'constant', ms: 200 }],
  ['uniform:from=50,to=400', { kind: 'uniform', from: 50, to: 400 }],
  ['lognormal:p50=300,p95=900', { kind: 'lognormal', p50: 300, p95: 900 }],
  ['latency=lognormal:p50=300,p95=900', { kind: 'lognormal', p50: 300, p95: 900 }],
  ['constant:get_lists:ms=0', { kind: 'constant', endpoint: 'get_lists', ms: 0 }],
];
for (const [text, latency] of PARSED) {
  test(`reads ${text}`, () => assert.deepEqual(parseLatency(text), latency));
}

const MISTAKES: [string, RegExp][] = [
  ['normal:mean=3', /latency kind must be one of constant, uniform, lognormal; got normal/],
  ['constant', /latency ms must be milliseconds, from 0; got undefined/],
  ['constant:ms=-1', /latency ms must be milliseconds, from 0; got -1/],
  ['constant:ms=some', /latency ms must be milliseconds, from 0; got some/],
  ['constant:ms=1,p50=3', /latency constant has no "p50", only ms/],
  ['uniform:from=9,to=3', /latency from \(9\) must not be more than to \(3\)/],
  ['lognormal:p50=0,p95=900', /latency p50 must be milliseconds, more than 0; got 0/],
  ['lognormal:p50=900,p95=300', /latency p50 \(900\) must not be more than p95 \(300\)/],
  ['constant:get_list:ms=1', /no operation "get_list"/],
];
for (const [text, error] of MISTAKES) {
  test(`says what is wrong with ${text}`, () => {
    assert.throws(() => draws(parseLatency(text)), { name: 'RangeError', message: error });
  });
}

test('a constant is always the same, and no latency is zero', () => {
  assert.deepEqual(new Set(draws({ kind: 'constant', ms: 20 })), new Set([20]));
  assert.deepEqual(new Set(draws([])), new Set([0]));
});

test('uniform draws are spread evenly over their range', () => {
  const drawn = draws({ kind: 'uniform', from: 100, to: 300 });
  assert.ok(Math.min(...drawn) >= 100 && Math.max(...drawn) <= 300);
  isNear(percentile(drawn, 0.5), 200);
  isNear(percentile(drawn, 0.95), 290);
});

test('lognormal draws keep their median and their 95th percentile', () => {
  const drawn = draws({ kind: 'lognormal', p50: 300, p95: 900 });
  isNear(percentile(drawn, 0.5), 300);
  isNear(percentile(drawn, 0.95), 900);
  assert.ok(drawn.every((ms) => ms > 0 && Number.isFinite(ms)));
});

test('draws are determined by the seed', () => {
  const latency: Latency = { kind: 'lognormal', p50: 300, p95: 900 };
  assert.deepEqual(draws(latency, 5, 20), draws(latency, 5, 20));
  assert.notDeepEqual(draws(latency, 5, 20), draws(latency, 6, 20));
});

test('the first latency that matches counts', () => {
  const [ms] = draws([
    { kind: 'constant', endpoint: 'get_profiles', ms: 1 },
    { kind: 'constant', endpoint: 'GET /api/lists', ms: 2 },
    { kind: 'constant', ms: 3 },
  ]);
  assert.equal(ms, 2);
});

test('an answer takes the time of its endpoint', async (t) => {
  const sandbox = await sandboxFor(t, {
    latency: { kind: 'constant', endpoint: 'get_lists', ms: 500 },
  });
  await (await call(sandbox, 'GET', '/api/profiles')).text();
  const started = performance.now();
  await (await call(sandbox, 'GET', '/api/lists')).text();
  assert.ok(performance.now() - started >= 499);
});

test('a sandbox refuses an invalid latency', async (t) => {
  const latency = { kind: 'constant', endpoint: 'get_list_s', ms: 80 } as const;
  await assert.rejects(sandboxFor(t, { latency }), /no operation "get_list_s"/);
});
