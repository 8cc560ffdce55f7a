import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import { taskQueueOf } from '../../../src/contracts/names.js';
import { startVerb } from '../../../src/demo/child.js';
import { listAccounts, openLedger, type Ledger } from '../../../src/ledger/index.js';
import { childEnvironment } from '../../../src/runtime/config.js';
import { Gates } from '../../support/klaviyo/gates.js';
import { createTestDatabase, testTemporal, type TestDatabase } from '../../support/stack.js';
import { CONSENTRY, endOf, startProgram, type Ended } from '../../support/processes/programs.js';
import { verbEnvironment } from '../../support/processes/verb-environment.js';

const ACCOUNT = `W${process.pid}`;

describe('consentry worker and its key', { timeout: 120_000 }, () => {
  const gates = new Gates();
  let folder: string;
  let database: TestDatabase;
  let ledger: Ledger;
  let sandbox: Sandbox;
  let connection: Connection;
  let environment: Record<string, string>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    database = await createTestDatabase();
    ledger = await openLedger(database.url);
    sandbox = await startSandbox({
      delays: 'fast',
      account: { id: ACCOUNT },
      onRequest: gates.hook,
    });
    const { address } = await testTemporal();
    connection = await Connection.connect({ address });
    environment = {
      ...(await verbEnvironment(folder, database)),
      KLAVIYO_API_KEY: sandbox.apiKey,
      KLAVIYO_BASE_URL: sandbox.url,
      CONSENTRY_STATE_DIR: join(folder, 'state'),
    };
  });
  after(async () => {
    gates.openAll();
    await connection.close();
    await sandbox.close();
    await ledger.close();
    await database.drop();
    await rm(folder, { recursive: true });
  });

  /** Runs a worker that ends by itself. */
  function ends(variables: Record<string, string>, ...flags: string[]): Promise<Ended> {
    const env = childEnvironment({ ...environment, ...variables });
    return endOf(startProgram(CONSENTRY, ['worker', ...flags], env));
  }

  async function pollers(): Promise<number> {
    const described = await new Client({ connection }).workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: taskQueueOf(ACCOUNT) },
      taskQueueType: 1,
    });
    return described.pollers.length;
  }

  async function tookNothing(): Promise<void> {
    assert.equal(await pollers(), 0);
    assert.deepEqual(await listAccounts(ledger.db), []);
  }

  it('a key that Klaviyo refuses: it ends at once, names the variable, and takes no work', async () => {
    const { code, stdout, stderr } = await ends({ KLAVIYO_API_KEY: 'pk_of_nobody' });
    assert.equal(code, 3, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /^KLAVIYO_API_KEY was refused \(401\).*private key/);
    assert.doesNotMatch(stderr, /pk_of_nobody/);
    await tookNothing();
  });

  for (const [what, variables, flags] of [
    ['CONSENTRY_ACCOUNT', { CONSENTRY_ACCOUNT: 'OTHER1' }, []],
    ['--account, which comes before it', { CONSENTRY_ACCOUNT: ACCOUNT }, ['--account', 'OTHER1']],
  ] as const) {
    it(`a key of another account than ${what}: it says both, what to do, and takes no work`, async () => {
      const { code, stdout, stderr } = await ends(variables, ...flags);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`KLAVIYO_API_KEY is of account ${ACCOUNT}, .* OTHER1`));
      assert.match(stderr, /use a key of that account, or correct --account or CONSENTRY_ACCOUNT/);
      await tookNothing();
    });
  }

  it('a worker without a key has to be told the account', async () => {
    const { code, stderr } = await ends({ KLAVIYO_API_KEY: '' }, '--role', 'workflow');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /give --account or CONSENTRY_ACCOUNT/);
  });

  it('a good key is proved before anything is taken, and the worker says whose it is', async () => {
    const gate = gates.close('get_accounts');
    const starting = startVerb(['worker'], environment, join(folder, 'state'));
    await gate.reached;
    await tookNothing();
    gate.open();
    const { process: worker, ready } = await starting;
    try {
      assert.deepEqual([ready['account'], ready['taskQueue']], [ACCOUNT, taskQueueOf(ACCOUNT)]);
      assert.deepEqual(await listAccounts(ledger.db), [ACCOUNT]);
    } finally {
      await worker.stop();
    }
  });

  it('while Klaviyo does not answer it waits, and says why', async () => {
    sandbox.account.addFault({ endpoint: 'get_accounts', kind: '503', times: 4 });
    const { process: worker } = await startVerb(['worker'], environment, join(folder, 'state'));
    await worker.stop();
    assert.match(worker.output(), /could not be checked yet; trying again: .*503/);
  });
});
