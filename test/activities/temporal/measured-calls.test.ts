import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityExecuteInput } from '@temporalio/worker';
import { CallMeter } from '../../../src/activities/temporal/call-meter.js';
import { MeasuredCalls } from '../../../src/activities/temporal/measured-calls.js';
import { RUN_HEADER } from '../../../src/contracts/run.js';
import { countCalls, type Ledger } from '../../../src/ledger/index.js';
import { openTestLedger, store } from '../../support/ledger.js';

describe('the calls of an activity', () => {
  let ledger: Ledger;
  const meter = new CallMeter();
  before(async () => {
    ledger = await openTestLedger();
    await store(ledger, 'counted', []);
  });
  after(() => ledger.close());

  /** Runs an activity of one call. */
  async function call(run: unknown): Promise<number> {
    let calls = 0;
    const headers: Headers =
      run === undefined ? {} : { [RUN_HEADER]: defaultPayloadConverter.toPayload(run) };
    const input: ActivityExecuteInput = { args: [], headers };
    await new MeasuredCalls(ledger, meter).execute(input, () => {
      calls += 1;
      meter.record({ endpoint: 'get_list', status: 200, durationMs: 7 });
      return Promise.resolve();
    });
    return calls;
  }

  test('are counted to the run that its workflow names', async () => {
    assert.equal(await call({ kind: 'migration', id: 'counted' }), 1);
    assert.deepEqual(await countCalls(ledger.db, 'counted'), [
      { endpoint: 'get_list', status: '200', calls: 1, durationMs: 7 },
    ]);
  });

  test('are counted nowhere if the run was deleted meanwhile, and the activity ends all the same', async () => {
    assert.equal(await call({ kind: 'check', id: 'deleted' }), 1);
    assert.deepEqual(await countCalls(ledger.db, 'deleted'), []);
  });

  for (const [says, run] of [
    ['no run', undefined],
    ['a kind of run that this version does not know', { kind: 'later', id: 'counted' }],
    ['nothing', null],
  ] as const) {
    test(`are not made where its workflow names ${says}`, async () => {
      await assert.rejects(call(run), { type: 'WorkersDiffer', nonRetryable: true });
    });
  }
});
