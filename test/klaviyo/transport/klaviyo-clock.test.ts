import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KlaviyoClock } from '../../../src/klaviyo/transport/klaviyo-clock.js';

const httpDate = (ms: number) => new Date(ms).toUTCString();

/** 10:00:00 at Klaviyo when the monotonic clock here shows 0. */
const TEN = Date.UTC(2026, 6, 7, 10);

function boundsAt(clock: KlaviyoClock, moment: number): { earliest: number; latest: number } {
  const time = clock.at(moment);
  assert.ok(time !== null);
  return { earliest: time.earliest.getTime(), latest: time.latest.getTime() };
}

describe('Klaviyo’s clock', () => {
  it('is not known before the first answer', () => {
    const clock = new KlaviyoClock();
    assert.equal(clock.at(0), null);
    for (const date of [undefined, '', 'soon', '-5', '2026-07-07T10:00:00Z']) {
      clock.observe(date, 0, 10);
    }
    assert.equal(clock.at(0), null);
  });

  it('is known to a second, the way of the call and half a second of tolerance by one answer', () => {
    const clock = new KlaviyoClock();
    clock.observe(httpDate(TEN), 100, 300);
    const { earliest, latest } = boundsAt(clock, 300);
    assert.equal(earliest, TEN - 500);
    assert.equal(latest, TEN + 1_000 + 500 + 200);
  });

  it('is known better by answers whose second has just begun, or is about to end', () => {
    const clock = new KlaviyoClock();
    clock.observe(httpDate(TEN), 0, 0);
    const width = (at: number) => {
      const { earliest, latest } = boundsAt(clock, at);
      return latest - earliest;
    };
    const first = width(0);
    // Its second began at 400 ms at the latest, as the next one began by 1,400.
    clock.observe(httpDate(TEN + 1_000), 400, 400);
    clock.observe(httpDate(TEN + 1_000), 1_350, 1_350);
    assert.ok(width(1_350) <= first - 900, `${width(1_350)} of ${first}`);
  });

  it('holds the true time whatever the answers took, while clocks drift and servers differ', () => {
    const answer = fc.record({
      after: fc.integer({ min: 1, max: 600_000 }),
      there: fc.integer({ min: 0, max: 3_000 }),
      back: fc.integer({ min: 0, max: 3_000 }),
      late: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(
        fc.array(answer, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: -400, max: 400 }),
        (answers, ppm) => {
          const clock = new KlaviyoClock();
          const klaviyo = (moment: number) => TEN + moment * (1 + ppm / 1e6);
          let moment = 0;
          for (const { after, there, back, late } of answers) {
            const sentAt = moment + after;
            moment = sentAt + there + back;
            // In whole seconds, and made a tick ago.
            clock.observe(httpDate(klaviyo(sentAt + there) - late), sentAt, moment);
            for (const at of [sentAt, moment, moment + 60_000]) {
              const { earliest, latest } = boundsAt(clock, at);
              assert.ok(earliest <= klaviyo(at) && klaviyo(at) <= latest, `not at ${at}`);
            }
          }
        },
      ),
    );
  });

  it('forgets slowly', () => {
    const clock = new KlaviyoClock();
    clock.observe(httpDate(TEN), 0, 0);
    const hour = 3_600_000;
    const { earliest, latest } = boundsAt(clock, hour);
    assert.equal(earliest, TEN + hour - 500 - 1_800);
    assert.equal(latest, TEN + hour + 1_500 + 1_800);
  });

  it('starts anew where an answer contradicts what was known: a clock was set', () => {
    const clock = new KlaviyoClock();
    clock.observe(httpDate(TEN), 0, 0);
    const anHourOn = TEN + 3_600_000;
    clock.observe(httpDate(anHourOn), 5_000, 5_000);
    const { earliest, latest } = boundsAt(clock, 5_000);
    assert.deepEqual([earliest, latest], [anHourOn - 500, anHourOn + 1_500]);
  });
});
