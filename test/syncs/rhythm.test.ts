import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { workflowInterceptorModules } from '@temporalio/testing';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { NO_COUNTS, type SyncTurn, type WholeReading } from '../../src/contracts/sync.js';
import type { consentSync } from '../../src/workflows/index.js';
import { testTemporal, uniqueName } from '../support/stack.js';
import { bundleWorkflows } from '../support/temporal/workflow-bundle.js';

/** A turn takes a minute: what is done in hours is played by activities that only note that they ran. */
describe('a run that reads the whole account', () => {
  let connection: Connection;
  let native: NativeConnection;
  let workflowBundle: WorkflowBundle;
  before(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const { address } = await testTemporal();
    connection = await Connection.connect({ address });
    native = await NativeConnection.connect({ address });
    workflowBundle = await bundleWorkflows({ workflowInterceptorModules });
  });
  after(async () => {
    await connection.close();
    await native.close();
  });

  /** Runs one whose reading takes so many turns. @returns its steps, in their order; its histories */
  async function run(whole: WholeReading, turns: number, goesOn = false) {
    const steps: string[] = [];
    const noted = <T>(name: string, result: T) => {
      return () => {
        steps.push(name);
        return Promise.resolve(result);
      };
    };
    let left = turns;
    const taskQueue = uniqueName('rhythm');
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle,
      activities: {
        beginSync: noted('begin', { whole, writesFiles: false }),
        beginWhole: noted('begin whole', { goesOn }),
        readAccount: (): Promise<SyncTurn> => {
          steps.push('turn');
          left -= 1;
          return Promise.resolve({ ...NO_COUNTS, isOver: left === 0, windows: left, left: null });
        },
        readChanges: noted('changes', NO_COUNTS),
        endWhole: noted('gone', NO_COUNTS),
        endSync: noted('end', {}),
      },
    });
    const client = new Client({ connection });
    const input = { syncId: 'rhythm', full: false, reset: false, isWaitedFor: false, runId: null };
    const histories = await worker.runUntil(async () => {
      const handle = await client.workflow.start<typeof consentSync>('consentSync', {
        workflowId: taskQueue,
        taskQueue,
        args: [input],
      });
      await handle.result();
      const first = client.workflow.getHandle(taskQueue, handle.firstExecutionRunId);
      const last = client.workflow.getHandle(taskQueue);
      return [await first.fetchHistory(), await last.fetchHistory()];
    });
    return { steps, histories };
  }

  const turns = (count: number) => Array<string>(count).fill('turn');

  for (const whole of ['first', 'sweep'] as const) {
    test(`reads what changed every ten minutes of a ${whole} reading`, async () => {
      const { steps } = await run(whole, 25);
      const before = whole === 'sweep' ? ['changes'] : [];
      assert.deepEqual(steps, [
        'begin',
        ...before,
        'begin whole',
        ...turns(10),
        'changes',
        ...turns(10),
        'changes',
        ...turns(5),
        'gone',
        'changes',
        'end',
      ]);
    });
  }

  test('reads what changed at once when a first reading goes on that was interrupted', async () => {
    const { steps } = await run('first', 1, true);
    assert.deepEqual(steps, ['begin', 'begin whole', 'changes', 'turn', 'gone', 'changes', 'end']);
  });

  test('goes on every ten minutes after it continued as new, and each part replays', async () => {
    const { steps, histories } = await run('first', 312);
    assert.equal(steps.filter((step) => step === 'changes').length, 32);
    assert.deepEqual(steps.slice(-6), ['changes', 'turn', 'turn', 'gone', 'changes', 'end']);
    for (const history of histories) {
      assert.ok((history.events?.length ?? 0) < 2_500, `${history.events?.length} events`);
      await Worker.runReplayHistory({ workflowBundle }, history, 'rhythm');
    }
    assert.notEqual(histories[0]?.events?.length, histories[1]?.events?.length);
  });
});
