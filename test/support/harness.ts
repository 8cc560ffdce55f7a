import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { type Sandbox, type SandboxOptions, startSandbox } from 'klaviyo-sandbox';
import { taskQueueOf } from '../../src/contracts/names.js';
import { openLedger, type Ledger } from '../../src/ledger/index.js';
import { Consentry } from '../../src/starter/consentry.js';
import { createWorker, type ConsentryWorker, type WorkerRole } from '../../src/worker.js';
import { Gates } from './klaviyo/gates.js';
import { createTestDatabase, testTemporal } from './stack.js';

// Failures are what these tests provoke: only what the SDK itself calls an error is worth seeing.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export const SINGLE = 'SINGL1';
export const DOUBLE = 'DOUBL1';

interface WorkerOf {
  role?: WorkerRole;
  apiKey?: string;
  baseUrl?: string;
  account?: string | null;
}

/** The whole product on a real Temporal server, a real PostgreSQL and the sandbox over HTTP. */
export interface Harness {
  readonly consentry: Consentry;
  readonly client: Client;
  readonly ledger: Ledger;
  readonly databaseUrl: string;
  readonly sandbox: Sandbox;
  /** Holds calls back; all are let through at the end. */
  readonly gates: Gates;
  readonly accountId: string;
  readonly taskQueue: string;
  /** Writes a source in the generic layout and gives its path. */
  source(name: string, lines: readonly string[]): Promise<string>;
  /**
   * Starts one more worker; `stopWorkers` ends all.
   *
   * @param options of another Klaviyo than the harness's own, and the account that it is told to be
   */
  startWorker(options?: WorkerOf): Promise<void>;
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param options.taskQueues those of the harness alone, unless a worker is to be a process of its own:
 *   that one has the product's
 */
export async function startHarness(
  options: { sandbox?: SandboxOptions; worker?: boolean; taskQueues?: string } = {},
): Promise<Harness> {
  const temporal = await testTemporal();
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
  const gates = new Gates();
  const sandbox = await startSandbox({
    delays: 'fast',
    onRequest: gates.hook,
    sms: { status: 'active', senders: [{ country: 'US', type: 'toll_free', status: 'active' }] },
    lists: [
      { id: SINGLE, name: 'Single', opt_in_process: 'single_opt_in' },
      { id: DOUBLE, name: 'Double', opt_in_process: 'double_opt_in' },
    ],
    ...options.sandbox,
  });
  const { taskQueues = `test-${randomBytes(6).toString('hex')}` } = options;
  const accountId = sandbox.account.settings.account.id;
  const { namespace } = temporal;
  const connection = await Connection.connect({ address: temporal.address });
  const native = await NativeConnection.connect({ address: temporal.address });
  const ledger = await openLedger(database.url);
  const workers: { worker: ConsentryWorker; ended: Promise<void> }[] = [];

  const harness: Harness = {
    consentry: new Consentry(connection, namespace, ledger, { taskQueues }),
    client: new Client({ connection, namespace }),
    ledger,
    databaseUrl: database.url,
    sandbox,
    gates,
    accountId,
    taskQueue: taskQueueOf(accountId, taskQueues),
    async source(name, lines) {
      const path = join(folder, name);
      await writeFile(path, `${lines.join('\n')}\n`);
      return path;
    },
    async startWorker({
      apiKey = sandbox.apiKey,
      baseUrl = sandbox.url,
      account = null,
      role = 'all',
    } = {}) {
      const worker = await createWorker({
        connection: native,
        namespace,
        taskQueues,
        role,
        account,
        databaseUrl: database.url,
        apiKey,
        baseUrl,
        version: 'test',
      });
      workers.push({ worker, ended: worker.run() });
    },
    async stopWorkers() {
      const stopping = workers.splice(0);
      for (const { worker } of stopping) worker.shutdown();
      await Promise.all(stopping.map(({ ended }) => ended));
    },
    async close() {
      gates.openAll();
      await harness.stopWorkers();
      await connection.close();
      await native.close();
      await sandbox.close();
      await ledger.close();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
  if (options.worker !== false) await harness.startWorker();
  return harness;
}
