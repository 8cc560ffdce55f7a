import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hookEventWords, SaidAgain } from '../../../src/cli/render/webhooks.js';

describe('what a listener to webhooks says', () => {
  it('says the same refusal once a minute, with how many there were', () => {
    const again = new SaidAgain();
    const refused = { event: 'refused', status: 401, why: 'Its signature is wrong.' } as const;
    const said = (at: number) => again.of(refused, at);
    assert.deepEqual(said(0), refused);
    assert.deepEqual([said(10), said(59_999)], [null, null]);
    assert.notEqual(again.of({ ...refused, status: 403 }, 20), null);
    const more = said(60_000);
    assert.ok(more !== null);
    assert.equal(
      hookEventWords(more),
      'A request was refused with 401. Its signature is wrong. So were 2 more since the last such line.',
    );
    assert.deepEqual(said(120_001), refused);
  });

  it('says everything else each time', () => {
    const again = new SaidAgain();
    const received = { event: 'received', sync: 'nightly', events: 2, fresh: 0 } as const;
    assert.deepEqual([again.of(received, 0), again.of(received, 1)], [received, received]);
    assert.match(hookEventWords(received), /^Told of 2 events for nightly, none of them new/);
  });
});
