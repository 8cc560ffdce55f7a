import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import {
  startSandbox,
  type RequestMoment,
  type Sandbox,
  type SandboxOptions,
} from 'klaviyo-sandbox';
import { openLedger } from '../../../src/ledger/index.js';
import { Consentry } from '../../../src/starter/consentry.js';
import type { SyncResult } from '../../../src/contracts/sync.js';
import { LISTS } from '../../adversary/play/account.js';
import type { World } from '../../adversary/play/stage.js';
import { workerHere, workerProcess, type StagedWorker } from '../../adversary/play/workers.js';
import { uniqueName } from '../../support/database.js';
import { mariadbCustomer, postgresqlCustomer, type CustomerDatabase } from './customer.js';
import { Judge } from './judge.js';
import { People } from './people.js';
import type { Disturbance, RunSpec, SyncScenario } from './scenario.js';

/** The servers of a campaign. */
export interface SyncWorldServers extends World {
  /** Null where there is no MariaDB: PostgreSQL takes its place. */
  readonly mariadb: string | null;
}

export interface SyncJudgement {
  readonly violations: readonly string[];
  readonly summary: string;
}

/** A run that is not over by then hangs. A killed worker is missed after 30 s. */
const OVER_WITHIN_MS = 150_000;

/** Nobody waits longer than this for the worker of a run. */
const WORKER_WITHIN_MS = 60_000;

/** Minutes are enough where Klaviyo shows everything within a second. */
const OVERLAP_MS = 60_000;

/** Without them, Klaviyo's answers say of everybody what is true. */
const PLAIN = {
  emailField: 'kept',
  suppressionField: 'array',
  subscriptionsField: 'object',
} as const;

/** Plays a scenario on the whole product, and tells what promise was broken. */
export async function playSync(
  scenario: SyncScenario,
  world: SyncWorldServers,
  seed: number,
): Promise<SyncJudgement> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    return await new Play(scenario, world, seed, (close) => closing.push(close)).judged();
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

class Play {
  readonly #table = uniqueName('consent').replaceAll('-', '_');
  readonly #history = `${this.#table}_history`;
  readonly #lists = `${this.#table}_lists`;
  readonly #results: string[] = [];
  #calls = 0;
  /** Number of the request that arrived last, and of one whose answer comes when it is old. */
  #arrived = 0;
  #held = 0;
  #onCall: (call: number) => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly scenario: SyncScenario,
    private readonly world: SyncWorldServers,
    private readonly seed: number,
    private readonly closeLater: (close: () => Promise<unknown>) => void,
  ) {}

  async judged(): Promise<SyncJudgement> {
    const { scenario, world } = this;
    const { temporal } = world;
    const { connection, native } = world.connections;
    const database = await world.createDatabase();
    this.closeLater(() => database.drop());
    const sandbox = await this.#openAccount();
    const { account } = sandbox;
    const people = new People(sandbox);
    await people.settle(scenario.profiles, this.seed);
    const customer = await this.#openCustomer();
    const ledger = await openLedger(database.url);
    this.closeLater(() => ledger.close());
    const settings = { temporal, databaseUrl: database.url, sandbox };
    const worker = scenario.isKilled
      ? await workerProcess(settings)
      : await workerHere(settings, native);
    this.closeLater(() => worker.stop());
    const consentry = new Consentry(connection, temporal.namespace, ledger);
    const client = new Client({ connection, namespace: temporal.namespace });
    const request = {
      to: customer.url,
      table: this.#table,
      history: this.#history,
      onDeleted: scenario.onDeleted,
      overlapMs: OVERLAP_MS,
      account: account.settings.account.id,
    };
    const judge = new Judge(people, customer, {
      table: this.#table,
      history: this.#history,
      lists: this.#lists,
      slackMs: slackOf(scenario),
      erases: scenario.onDeleted === 'erase',
    });

    const sync = async (
      spec: Pick<RunSpec, 'full' | 'disturbance' | 'faults'>,
    ): Promise<SyncResult | null> => {
      await judge.begins();
      const lists = judge.hasLists ? { lists: this.#lists } : {};
      const started = await insist(() =>
        consentry.syncs.start({ ...request, ...lists, full: spec.full }),
      );
      const disturb = this.#disturber(spec.disturbance, worker, {
        terminate: () => client.workflow.getHandle(started.workflowId).terminate(),
        cancel: () => consentry.syncs.cancel(started.workflowId),
      });
      const acts = this.#onCall;
      this.#onCall = async (call) => {
        await acts(call);
        await disturb(call);
      };
      const ended = await Promise.race([
        consentry.syncs.waitForEnd(started.workflowId).catch((error: unknown) => error as Error),
        delay(OVER_WITHIN_MS, 'hangs' as const, { ref: false }),
      ]);
      if (ended === 'hangs') throw new Error(`the run hangs: ${started.workflowId}`);
      if (ended instanceof Error) {
        this.#results.push(ended.name === 'CancelledFailure' ? 'cancelled' : 'ended');
        const isWanted = spec.disturbance !== null || spec.faults.length > 0;
        if (!isWanted) judge.say(`a run failed: ${ended.message}`);
        return null;
      }
      this.#results.push(ended.whole ?? 'changes');
      await judge.succeeded(ended);
      return ended;
    };

    let last: SyncResult | null = null;
    for (const [n, spec] of scenario.runs.entries()) {
      // Where a sync writes does not change while the ledger has a run of it that did not end.
      if (n >= scenario.listsFrom && (n === 0 || last !== null)) judge.hasLists = true;
      account.pass(spec.afterMs);
      if (spec.afterMs > 0) await delay(metricsLateMs(scenario));
      for (const act of spec.before) await people.act(act);
      for (const { kind, share } of spec.faults) account.addFault({ kind, share });
      const waiting = [...spec.during];
      this.#calls = 0;
      this.#onCall = async (call) => {
        people.look();
        const due = waiting.filter(({ atCall }) => atCall <= call);
        for (const each of due) waiting.splice(waiting.indexOf(each), 1);
        for (const { act } of due) await people.act(act);
      };
      last = await sync(spec);
      this.#onCall = () => Promise.resolve();
      account.clearFaults();
      for (const { act } of waiting) await people.act(act);
    }

    Object.assign(account.settings.switches, PLAIN);
    people.finish();
    await delay(slackOf(scenario));
    judge.hasLists ||= last !== null;
    const calm = { full: false, disturbance: null, faults: [] };
    for (let attempt = 1; (await sync(calm)) === null; attempt += 1) {
      if (attempt === 3) throw new Error('no run succeeds');
    }
    if (!judge.hasLists) {
      judge.hasLists = true;
      await sync(calm);
    }
    if (answersAreWhole(scenario)) await judge.caughtUp([...account.truth()]);
    await sync({ ...calm, full: true });
    await judge.settled([...account.truth()], await this.#folder());
    return {
      violations: judge.violations(),
      summary:
        `${scenario.destination}, ${this.#results.join(', ')}; ${people.done} acts` +
        judge.remarks(),
    };
  }

  async #openAccount(): Promise<Sandbox> {
    const { scenario, seed } = this;
    const sandbox = await startSandbox({
      account: {
        id: uniqueName('acc').replaceAll('-', ''),
        oldSmsMetricNames: scenario.oldSmsMetricNames,
      },
      seed,
      delays: { ...DELAYS, readLag: [0, scenario.readLagMs] },
      clicks: { share: 0, delayMs: [0, 0] },
      rateLimitFactor: 8,
      lists: [
        { id: LISTS.single, name: 'Single', opt_in_process: 'single_opt_in' },
        { id: LISTS.double, name: 'Double', opt_in_process: 'double_opt_in' },
      ],
      switches: scenario.switches,
      clockAheadMs: scenario.clockAheadMs,
      onRequest: async ({ moment, number }: RequestMoment) => {
        if (moment === 'after') {
          if (this.#held === number) await delay(HELD_MS);
          return;
        }
        this.#calls += 1;
        this.#arrived = number;
        await this.#onCall(this.#calls);
      },
    });
    this.closeLater(() => sandbox.close());
    return sandbox;
  }

  async #openCustomer(): Promise<CustomerDatabase> {
    const { mariadb } = this.world;
    const customer =
      this.scenario.destination === 'mariadb' && mariadb !== null
        ? await mariadbCustomer(mariadb)
        : postgresqlCustomer(await this.world.createDatabase());
    this.closeLater(() => customer.close());
    return customer;
  }

  async #folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'consentry-campaign-'));
    this.closeLater(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Disturbs a run once. The call that meets it is answered late. */
  #disturber(
    disturbance: Disturbance | null,
    worker: StagedWorker,
    run: { terminate(): Promise<unknown>; cancel(): Promise<unknown> },
  ): (call: number) => Promise<void> {
    let left = disturbance;
    return async (call) => {
      if (left === null || call < left.atCall) return;
      const { how } = left;
      left = null;
      this.#held = this.#arrived;
      switch (how) {
        case 'terminate':
          await run.terminate().catch(() => undefined);
          return;
        case 'cancel':
          await run.cancel().catch(() => undefined);
          return;
        case 'kill_and_terminate':
          await run.terminate().catch(() => undefined);
          void worker.kill();
          return;
        case 'kill_worker':
          void worker.kill();
          return;
        case 'restart_worker':
          void worker.restart();
          return;
      }
    };
  }
}

/** All of Klaviyo's delays but that of merges and deletions, which are asked for before they are waited for. */
const DELAYS = {
  subscribeLive: [20, 100],
  subscribeHistorical: [20, 100],
  importNew: [20, 100],
  importExisting: [20, 100],
  confirmationMessage: [10, 40],
  confirmed: [10, 40],
  suppression: [50, 300],
  suppressionNew: [50, 300],
  event: [20, 100],
  merge: [10, 40],
  deletion: [20, 100],
} as const satisfies SandboxOptions['delays'];

/** The worker of a run that was ended gets its last answer while the next run works. */
const HELD_MS = 1_500;

const SHOWN_WITHIN_MS = 150;

/** Klaviyo itself shows what happened so late. */
function slackOf({ readLagMs, switches }: SyncScenario): number {
  return SHOWN_WITHIN_MS + readLagMs + metricsLateMs({ switches });
}

/** What Klaviyo did not say when it was asked is read again by the next whole reading. */
function answersAreWhole({ switches }: SyncScenario): boolean {
  return Object.entries(PLAIN).every(([name, plain]) => {
    const value = switches[name as keyof typeof PLAIN];
    return value === undefined || value === plain;
  });
}

/** A metric is there with its first event; the worker asks for metrics once a second, whatever Klaviyo's time. */
function metricsLateMs({ switches }: Pick<SyncScenario, 'switches'>): number {
  return switches.unfiredMetrics === 'listed' ? 0 : 1_100;
}

/** A worker that was killed comes back; the ledger's run of one that was terminated ends then. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  const until = Date.now() + WORKER_WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'NoWorkerError' || Date.now() > until)
        throw error;
      await delay(100);
    }
  }
}
