import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  admit,
  afterCall,
  pauseMs,
  stillAdmits,
  WELL,
  type CallEnd,
  type EndpointHealth,
} from '../../../src/klaviyo/transport/endpoint-health.js';
import type { Patience } from '../../../src/klaviyo/transport/patience.js';

const PATIENCE: Patience = {
  tries: 4,
  retryMs: 250,
  failuresInRow: 3,
  pauseMs: 500,
  longestPauseMs: 30_000,
  holdMs: 10_000,
};
const NOW = 1_000_000;
const CALL = 7;
const OTHER = 8;

const well = (failuresInRow: number): EndpointHealth => ({ state: 'well', failuresInRow });
const failing = (pauses: number, waitMs: number, probe: number | null = null): EndpointHealth => ({
  state: 'failing',
  pauses,
  closedUntil: NOW + waitMs,
  probe,
});
const ended = (verdict: CallEnd['verdict'], retryAfterMs: number | null = null): CallEnd => ({
  call: CALL,
  verdict,
  retryAfterMs,
});

describe('an endpoint', () => {
  const transitions: readonly [string, EndpointHealth, CallEnd, EndpointHealth][] = [
    ['counts its first failure', WELL, ended('failed'), well(1)],
    ['pauses after the third in a row', well(2), ended('failed'), failing(1, 500)],
    ['forgets failures after a success', well(2), ended('worked'), WELL],
    ['does not count what says nothing of it', well(2), ended('undecided'), well(2)],
    [
      'pauses twice as long after its probe',
      failing(3, -1, CALL),
      ended('failed'),
      failing(4, 4_000),
    ],
    [
      'pauses for half a minute at most',
      failing(9, -1, CALL),
      ended('failed'),
      failing(10, 30_000),
    ],
    [
      'pauses for as long as a 503 asks, where that is longer',
      failing(1, -1, CALL),
      ended('failed', 45_000),
      failing(2, 45_000),
    ],
    [
      'pauses for its own time, where that is longer than a 503 asks',
      failing(3, -1, CALL),
      ended('failed', 1_000),
      failing(4, 4_000),
    ],
    ['is well after its probe worked', failing(5, -1, CALL), ended('worked'), WELL],
    ['is well after any call worked that was under way', failing(5, 900), ended('worked'), WELL],
    [
      'does not pause longer for calls that were under way',
      failing(1, 300),
      ended('failed'),
      failing(1, 300),
    ],
    [
      'does not take such a call for the probe that is out',
      failing(1, -1, OTHER),
      ended('failed'),
      failing(1, -1, OTHER),
    ],
    [
      'may be probed anew where the probe was cancelled or throttled',
      failing(2, -1, CALL),
      ended('undecided'),
      failing(2, -1),
    ],
    [
      'keeps its probe where another call was cancelled',
      failing(2, -1, OTHER),
      ended('undecided'),
      failing(2, -1, OTHER),
    ],
  ];
  for (const [name, before, end, after] of transitions) {
    it(name, () => {
      assert.deepEqual(afterCall(before, end, PATIENCE, NOW, 1), after);
    });
  }

  const admissions: readonly [string, EndpointHealth, ReturnType<typeof admit>][] = [
    ['that does well lets everybody in', well(2), { admitted: true, health: well(2) }],
    ['lets nobody in during a pause', failing(1, 300), { admitted: false, waitMs: 300 }],
    ['lets one probe in after it', failing(1, 0), { admitted: true, health: failing(1, 0, CALL) }],
    [
      'lets nobody in while its probe is out',
      failing(1, -5, OTHER),
      { admitted: false, waitMs: null },
    ],
  ];
  for (const [name, health, admission] of admissions) {
    it(name, () => {
      assert.deepEqual(admit(health, CALL, NOW), admission);
    });
  }

  it('lets nobody but its probe make a call after waiting for the limiter', () => {
    assert.deepEqual(
      [well(2), failing(1, 300), failing(1, -1, OTHER), failing(1, -1, CALL)].map((health) =>
        stillAdmits(health, CALL),
      ),
      [true, false, false, true],
    );
  });

  it('pauses for anything from half of the time to all of it', () => {
    const pause = (random: number) => afterCall(well(2), ended('failed'), PATIENCE, NOW, random);
    assert.deepEqual(pause(0), failing(1, 250));
    assert.deepEqual(pause(0.5), failing(1, 375));
  });

  it('doubles its pauses', () => {
    assert.deepEqual(
      [1, 2, 3, 7, 50].map((pauses) => pauseMs(pauses, PATIENCE)),
      [500, 1_000, 2_000, 30_000, 30_000],
    );
  });

  it('never has two probes, nor closes for good, whatever comes in which order', () => {
    const step = fc.record({
      ms: fc.nat(20_000),
      end: fc.option(fc.nat(5), { nil: null }),
      verdict: fc.constantFrom('worked', 'failed', 'failed', 'failed', 'undecided'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let [health, now, calls] = [WELL, 0, 0];
        const out: { call: number; probe: boolean }[] = [];
        for (const { ms, end, verdict } of steps) {
          now += ms;
          const [gone] = end === null ? [] : out.splice(end, 1);
          if (gone !== undefined) {
            const { call } = gone;
            health = afterCall(health, { call, verdict, retryAfterMs: null }, PATIENCE, now);
          }
          const admission = admit(health, (calls += 1), now);
          if (!admission.admitted) continue;
          const probe = admission.health.state === 'failing';
          // A probe whose pause another call's success has ended is one no more.
          const probing = out.filter((call) => call.probe && stillAdmits(health, call.call));
          assert.ok(!probe || probing.length === 0, 'a second probe');
          health = admission.health;
          out.push({ call: calls, probe });
        }
        for (const { call } of out) {
          health = afterCall(
            health,
            { call, verdict: 'undecided', retryAfterMs: null },
            PATIENCE,
            now,
          );
        }
        assert.ok(admit(health, 0, now + PATIENCE.longestPauseMs).admitted);
      }),
    );
  });
});
