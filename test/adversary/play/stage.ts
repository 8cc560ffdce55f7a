import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { TASK_QUEUES, taskQueueOf } from '../../../src/contracts/names.js';
import { getMigration, openLedger, type Ledger } from '../../../src/ledger/index.js';
import { Consentry } from '../../../src/starter/consentry.js';
import { uniqueName, type TestDatabase } from '../../support/database.js';
import type { TestTemporal } from '../../support/stack.js';
import { StagedAccount } from './account.js';
import type { Chronicle, RunChronicle } from '../chronicle.js';
import { Director, type StagedRun } from './director.js';
import type { RunSpec, Scenario } from '../scenarios/scenario.js';
import { requestOf, writeSource } from './source-file.js';
import { workerHere, workerProcess, type StagedWorker } from './workers.js';

// Failures are what these scenarios provoke.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A scenario that is not over by then hangs. */
const OVER_WITHIN_MS = 120_000;

/** Moves whose call never comes are dropped, and runs that wait for it start all the same. */
const MOVES_WITHIN_MS = 12_000;

/** The servers that scenarios are played on; many may be at the same time. */
export interface World {
  readonly temporal: TestTemporal;
  readonly connections: Connections;
  /** How many times as long as on a quiet machine everything may take; 1 by default. */
  readonly slack?: number;
  createDatabase(): Promise<TestDatabase>;
}

/** To Temporal, for all scenarios: each keeps an `AsyncLocalStorage`, which slows the process for good. */
export interface Connections {
  readonly connection: Connection;
  readonly native: NativeConnection;
}

export async function connectTo({ address }: TestTemporal): Promise<Connections> {
  return {
    connection: await Connection.connect({ address }),
    native: await NativeConnection.connect({ address }),
  };
}

/** Plays a scenario on the whole product, and tells what happened. */
export async function play(scenario: Scenario, world: World): Promise<Chronicle> {
  const { temporal } = world;
  const { connection, native } = world.connections;
  const database = await world.createDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'consentry-adversary-'));
  const closing: (() => Promise<void>)[] = [
    () => rm(folder, { recursive: true }),
    () => database.drop(),
  ];
  const closeLater = (close: () => Promise<void>) => closing.push(close);
  try {
    const director = new Director(scenario);
    const accounts: StagedAccount[] = [];
    for (let place = 0; place < scenario.accounts; place += 1) {
      const account = await StagedAccount.open(scenario, place, (moment) =>
        place === 0 ? director.onRequest(moment) : undefined,
      );
      accounts.push(account);
      closeLater(() => account.sandbox.close());
    }
    const ledger = await openLedger(database.url);
    closeLater(() => ledger.close());
    const workers: StagedWorker[] = [];
    for (const [place, { sandbox }] of accounts.entries()) {
      const settings = { temporal, databaseUrl: database.url, sandbox };
      const isKilled = place === 0 && scenario.killAtCall !== null;
      const worker = isKilled ? await workerProcess(settings) : await workerHere(settings, native);
      workers.push(worker);
      closeLater(() => worker.stop());
    }
    const consentry = new Consentry(connection, temporal.namespace, ledger);
    const client = new Client({ connection, namespace: temporal.namespace });
    const first = accounts[0];
    if (first === undefined || workers[0] === undefined) throw new Error('no account');
    for (const { kind, endpoint, share } of scenario.faults) {
      first.sandbox.account.addFault({ kind, share, ...(endpoint === null ? {} : { endpoint }) });
    }
    director.begin({ consentry, account: first, worker: workers[0] });

    const startRun = async (spec: RunSpec, n: number): Promise<void> => {
      const account = accounts[spec.account] ?? first;
      await director.untilCall(n === 0 ? 0 : spec.startsAfter, MOVES_WITHIN_MS);
      const file = join(folder, `run-${n}.csv`);
      const settle = await writeSource(file, spec, account.people);
      const customSource = uniqueName(`run${n}`);
      const request = requestOf(spec, {
        file,
        customSource,
        account: account.sandbox.account.settings.account.id,
        scenario,
      });
      const startedAt = Date.now();
      // A worker that is being restarted is asked for in vain.
      const { id } = await insist(
        () => consentry.migrations.start(request),
        'NoWorkerError',
      ).finally(settle);
      director.started(n, { id, spec, customSource, startedAt, cancelledAt: null });
    };
    await Promise.all(scenario.runs.map(startRun));
    await director.untilOver(MOVES_WITHIN_MS);
    await director.calm();

    const queues = accounts.map(({ sandbox }) =>
      taskQueueOf(sandbox.account.settings.account.id, TASK_QUEUES),
    );
    const stuck = await untilQuiet(client, queues, async () => {
      await director.calm();
      await leaveTheWire(ledger);
    });
    for (const { sandbox } of accounts) sandbox.account.advance(3_600_000);
    const { open, histories } = await workflowsOf(client, queues);
    return {
      scenario,
      accounts: accounts.map((account) => account.chronicle()),
      runs: await Promise.all(director.runs().map((run) => chronicleOf(consentry, ledger, run))),
      said: director.said(),
      openWorkflows: open,
      histories,
      answersWereLost: scenario.faults.length > 0 || director.disturbed(),
      stuck,
      slack: world.slack ?? 1,
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function chronicleOf(
  consentry: Consentry,
  ledger: Ledger,
  { id, ...run }: StagedRun,
): Promise<RunChronicle> {
  const { phase, failure, finishedAt } = await getMigration(ledger.db, id);
  const parts: RunChronicle['parts'][number][] = [];
  for await (const page of consentry.migrations.parts(id)) parts.push(...page);
  return { id, ...run, phase, failure, finished: finishedAt !== null, parts };
}

/**
 * A call whose worker was killed may be on the wire for as long as a step of a job takes, and ended runs
 * are watched for that long: those 15 minutes pass at once.
 */
async function leaveTheWire({ pool }: Ledger): Promise<void> {
  await pool.query(
    `update consentry.submission s set sent_at = s.sent_at - interval '15 minutes'
     from consentry.run
     where run.id = s.migration_id and run.finished_at is not null
       and s.status = 'sending' and s.sent_at > now() - interval '15 minutes'`,
  );
}

/** Tries again for a while what fails with this error. */
async function insist<T>(work: () => Promise<T>, name: string): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof Error && error.name === name;
      if (!passes || attempt === 100) throw error;
      await delay(100);
    }
  }
}

/** @returns why it did not become quiet; null where it did */
async function untilQuiet(
  client: Client,
  queues: readonly string[],
  calm: () => Promise<void>,
): Promise<string | null> {
  const until = Date.now() + OVER_WITHIN_MS;
  for (;;) {
    const { open } = await workflowsOf(client, queues);
    if (open.length === 0) return null;
    if (Date.now() > until) return `open after ${OVER_WITHIN_MS} ms: ${open.join(', ')}`;
    // A run that started late, or was planned late, waits for approval.
    await calm();
    await delay(100);
  }
}

async function workflowsOf(client: Client, queues: readonly string[]) {
  const open: string[] = [];
  const histories: { workflowId: string; events: number }[] = [];
  for (const queue of queues) {
    for await (const info of client.workflow.list({ query: `TaskQueue = "${queue}"` })) {
      if (info.status.name === 'RUNNING') open.push(info.workflowId);
      histories.push({ workflowId: info.workflowId, events: info.historyLength });
    }
  }
  return { open, histories };
}
