import { startSandbox, type Sandbox } from 'klaviyo-sandbox';
import type { Drift, SyncResult } from '../../../src/contracts/sync.js';
import { openLedger } from '../../../src/ledger/index.js';
import { Consentry } from '../../../src/starter/consentry.js';
import { LISTS } from '../../adversary/play/account.js';
import { workerHere } from '../../adversary/play/workers.js';
import { uniqueName } from '../../support/database.js';
import { postgresqlCustomer } from './customer.js';
import { Judge } from './judge.js';
import { People } from './people.js';
import type { SyncWorldServers } from './play.js';
import { actsOf, type Act } from './scenario.js';

const HOUR_MS = 3_600_000;
const ACTS_AN_HOUR = 6;

/** What no source but a whole reading shows, and why. */
export const SHOWN_BY_SWEEPS_ONLY: ReadonlyMap<string, string> = new Map([
  ['email_marketing (undated)', 'a suppression was lifted: no event, no filter, no new `updated`'],
  ['email_marketing_suppressions (undated)', 'the same'],
  ['list_memberships (undated)', 'removed from a list by hand, or with a merge: no event'],
  ['list_memberships', 'given by a merge, with its date: no event'],
  ['sms_transactional', 'left by somebody who had left marketing texts: no event of its own'],
]);

export interface WeekReport {
  readonly hours: number;
  readonly acts: number;
  readonly increments: number;
  readonly sweeps: number;
  /** Of all sweeps together, by what changed. */
  readonly drift: Drift;
  /** Rows of merged and deleted profiles, which the sweeps found. */
  readonly goneBySweeps: number;
  readonly changedByIncrements: number;
  readonly liftedSuppressions: number;
  readonly violations: readonly string[];
}

/** Lives through hours of an account that is synced each hour, and read as a whole each day. */
export async function liveThrough(
  hours: number,
  world: SyncWorldServers,
  seed: number,
): Promise<WeekReport> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const database = await world.createDatabase();
    closing.push(() => database.drop());
    const sandbox = await openAccount(seed);
    closing.push(() => sandbox.close());
    const people = new People(sandbox);
    await people.settle(600, seed);
    const customer = postgresqlCustomer(await world.createDatabase());
    closing.push(() => customer.close());
    const ledger = await openLedger(database.url);
    closing.push(() => ledger.close());
    const worker = await workerHere(
      { temporal: world.temporal, databaseUrl: database.url, sandbox },
      world.connections.native,
    );
    closing.push(() => worker.stop());
    const { connection } = world.connections;
    const { syncs } = new Consentry(connection, world.temporal.namespace, ledger);
    const [table, history, lists] = ['klaviyo_consent', 'consent_history', 'list_members'];
    // Klaviyo's own delays, which pass at once: what happened is shown when a run begins.
    const judge = new Judge(people, customer, { table, history, lists, slackMs: 0, erases: true });
    judge.hasLists = true;
    const account = sandbox.account.settings.account.id;
    const sync = async (full = false): Promise<SyncResult> => {
      await judge.begins();
      const { workflowId } = await syncs.start({ to: customer.url, history, lists, account, full });
      const result = await syncs.waitForEnd(workflowId);
      await judge.succeeded(result);
      return result;
    };

    const totals = { increments: 0, sweeps: 0, goneBySweeps: 0, changedByIncrements: 0 };
    const drift: Record<string, number> = {};
    let liftedSuppressions = 0;
    const note = (result: SyncResult) => {
      if (result.whole === 'sweep') totals.sweeps += 1;
      else totals.increments += 1;
      if (result.whole === 'sweep') totals.goneBySweeps += result.removed;
      else totals.changedByIncrements += result.added + result.changed;
      for (const [thing, count] of Object.entries(result.drift)) {
        drift[thing] = (drift[thing] ?? 0) + count;
      }
    };
    await sync();
    const acts: Act[] = actsOf(seed, hours * ACTS_AN_HOUR);
    for (let hour = 0; hour < hours; hour += 1) {
      for (const act of acts.splice(0, ACTS_AN_HOUR)) {
        const before = people.done;
        await people.act(act);
        if (act.do === 'unsuppress' && people.done > before) liftedSuppressions += 1;
        sandbox.account.pass((HOUR_MS - SHOWN_AFTER_MS) / ACTS_AN_HOUR);
      }
      sandbox.account.pass(SHOWN_AFTER_MS);
      people.look();
      note(await sync());
    }
    people.finish();
    note(await sync());
    note(await sync(true));
    const truth = [...sandbox.account.truth()];
    for (const difference of [
      ...(await judge.differences(truth)),
      ...(await judge.memberDifferences(truth)),
    ]) {
      judge.say(difference);
    }
    return {
      hours,
      acts: people.done,
      ...totals,
      drift,
      liftedSuppressions,
      violations: judge.violations(),
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** Klaviyo shows events up to 10 minutes late. */
const SHOWN_AFTER_MS = 12 * 60_000;

function openAccount(seed: number): Promise<Sandbox> {
  return startSandbox({
    account: { id: uniqueName('acc').replaceAll('-', '') },
    seed,
    delays: 'klaviyo',
    clicks: { share: 0, delayMs: [0, 0] },
    rateLimitFactor: 8,
    lists: [
      { id: LISTS.single, name: 'Single', opt_in_process: 'single_opt_in' },
      { id: LISTS.double, name: 'Double', opt_in_process: 'double_opt_in' },
    ],
    // Time passes faster than a worker forgets which metrics there are.
    switches: { unfiredMetrics: 'listed', events: 'late' },
  });
}
