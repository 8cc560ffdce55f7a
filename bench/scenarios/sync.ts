import { setTimeout as delay } from 'node:timers/promises';
import { DELAYS } from 'klaviyo-sandbox';
import { CALL_LIMITS } from '../../src/contracts/limits.js';
import type { KlaviyoAddress } from '../../src/demo/stack.js';
import { endpointOf, KlaviyoClient, type RateLimiter } from '../../src/klaviyo/index.js';
import { progressLines } from '../../src/runtime/progress.js';
import { growthOf, curveOf, peakOf } from '../measure/memory.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { CustomerDatabase } from '../stack/consent-table.js';
import { detailsOfRun, runMigration } from '../stack/migration-run.js';
import { addressOf } from '../stack/people.js';
import { withServers } from '../stack/servers.js';
import { withStack, type BenchStack } from '../stack/stack.js';
import { runSync, type SyncRunMeasured } from '../stack/sync-run.js';
import { callsThrottled, totalOf } from '../stack/truth.js';

const PAGE = 100;

/** How long Klaviyo's answers to a page of profiles take. */
const LATENCY = { endpoint: 'get_profiles', kind: 'lognormal', p50: 600, p95: 1_000 } as const;

/** People who change between the first run and the second. */
const CHANGES = 1_000;

/** Of so many profiles, the migration brings one. */
const MIGRATED_ONE_IN = 10;

/** Of so many whom it brings, one has no profile yet. */
const NEW_ONE_IN = 10;

/** A reading of what changed begins that long before its end at most. */
const LATELY_MS = 24 * 3_600_000;

/** Klaviyo's limits count the calls of a minute, and the limiter those of 61 seconds. */
const LIMITS_OVER_MS = 61_000;

const LONG_AGO = '2023-01-01T00:00:00Z';

/** People of whom nobody was created in the same second: those of one second can only be read one page after the other. */
const createdNth = (n: number): string => new Date(Date.parse(LONG_AGO) + n * 60_000).toISOString();

export const sync: Scenario = {
  name: 'sync',
  line: 'a first sync at Klaviyo’s limits, one more after 1,000 changes, and then a migration',
  rows: 1_000_000,
  floors: [
    { figure: 'timesTheLeast', is: 'at most', limit: 1.1 },
    { figure: 'workerPeakMegabytes', is: 'at most', limit: 400 },
    { figure: 'workerMemoryGrowth', is: 'at most', limit: 1.15 },
    { figure: 'callsAfterChanges', is: 'at most', limit: 30 },
    { figure: 'secondsToFirstSubmit', is: 'at most', limit: 10 },
    { figure: 'throttledCalls', is: 'at most', limit: 0 },
    { figure: 'wrongRows', is: 'at most', limit: 0 },
  ],
  run: ({ rows, note }) =>
    withStack(rows / MIGRATED_ONE_IN, { latency: LATENCY }, async (stack) => {
      const { sandbox, servers } = stack;
      note(`filling the account with ${rows} profiles`);
      const changing = await fill(stack, rows);
      const customer = await CustomerDatabase.create(servers.databaseUrl);
      note('the first sync');
      const first = await runSync(stack, customer.url);
      note(`a sync after ${changing.length} changes`);
      await change(stack, changing);
      const second = await runSync(stack, customer.url);
      const wrongRows = await customer.wrongRows(sandbox);
      const tableRows = await customer.rows();
      const throttledCalls = totalOf(await callsThrottled(sandbox));
      // What a sync has just used of a minute's calls would be missing to the migration.
      await delay(LIMITS_OVER_MS);
      note(`migrating ${rows / MIGRATED_ONE_IN} people`);
      const migration = await runMigration(stack, { mirror: 'auto' });
      const { 'preflight, read consent': reading = 0, plan = 0 } = migration.phases;
      return {
        servers: stack.facts,
        figures: {
          ...figuresOf(first),
          timesTheLeast: first.runMs / leastMs(rows),
          throttledCalls,
          wrongRows: wrongRows + Math.abs(tableRows - rows),
          secondsAfterChanges: second.runMs / 1_000,
          callsAfterChanges: second.calls,
          changesWritten: second.result.changed,
          secondsToFirstSubmit: (migration.storedMs + reading + plan) / 1_000,
          unconfirmedRows: migration.report.rows - (migration.report.outcomes.confirmed ?? 0),
        },
        details: detailsOfRun(migration),
        curves: { workerMemory: curveOf(first.memory) },
      };
    }),
};

export const syncEngine: Scenario = {
  name: 'sync-engine',
  line: 'a first sync with an echo in place of Klaviyo: the work of worker and PostgreSQL',
  rows: 300_000,
  floors: [{ figure: 'profilesPerSecond', is: 'at least', limit: 10_000 }],
  run: ({ rows, note }: RunOptions): Promise<Measured> =>
    withServers(async (servers) => {
      const worker = await servers.startWorker(await servers.startEcho({ profiles: rows }));
      const customer = await CustomerDatabase.create(servers.databaseUrl);
      note(`reading ${rows} profiles`);
      const { connected } = servers;
      const first = await runSync({ connected, workerPid: worker.pid }, customer.url);
      const tableRows = await customer.rows();
      if (tableRows !== rows) throw new Error(`The table has ${tableRows} rows of ${rows}.`);
      return {
        servers: servers.facts,
        figures: figuresOf(first),
        curves: { workerMemory: curveOf(first.memory) },
      };
    }, progressLines(process.stderr)),
};

function figuresOf({ result, runMs, calls, memory }: SyncRunMeasured) {
  return {
    seconds: runMs / 1_000,
    profilesPerSecond: (result.added * 1_000) / runMs,
    calls,
    workerPeakMegabytes: peakOf(memory),
    workerMemoryGrowth: growthOf(memory),
  };
}

/** Milliseconds that the pages of so many profiles take at Klaviyo's limits. */
function leastMs(profiles: number): number {
  return (profiles / PAGE / endpointOf('get_profiles').steady) * 60_000;
}

/** Everybody of the account. @returns the addresses of those who are going to change */
async function fill({ sandbox }: BenchStack, rows: number): Promise<string[]> {
  const changing = Array.from(
    { length: Math.min(CHANGES, rows / 4) },
    (_, n) => `c${n}@shop.example`,
  );
  const migrated = Array.from({ length: rows / MIGRATED_ONE_IN }, (_, n) => n);
  const known = migrated.filter((n) => n % NEW_ONE_IN !== 0);
  await sandbox.generate(rows - changing.length - known.length);
  await sandbox.seed(
    (function* () {
      for (const [n, email] of changing.entries()) {
        yield { email, created: createdNth(n), email_consent: 'SUBSCRIBED' as const };
      }
      for (const n of known) yield { email: addressOf(n), created: createdNth(n) };
    })(),
  );
  // Nobody has changed of late, as in an account of years.
  await sandbox.advance(LATELY_MS);
  return changing;
}

/** A third by the API, a third by the link of a mail, a third suppressed by hand; all of it shows. */
async function change({ sandbox, klaviyo }: BenchStack, people: readonly string[]): Promise<void> {
  const third = Math.ceil(people.length / 3);
  await unsubscribe(klaviyo, people.slice(0, third));
  for (const email of people.slice(third, 2 * third)) await sandbox.act('unsubscribe', email);
  for (const email of people.slice(2 * third)) await sandbox.act('suppress', email);
  await sandbox.advance(DELAYS.klaviyo.event[1]);
}

/** They do not come near any limit. */
const FEW_CALLS: RateLimiter = {
  acquire: () => Promise.resolve(),
  penalise: () => Promise.resolve(),
};

async function unsubscribe(
  { url, apiKey }: KlaviyoAddress,
  emails: readonly string[],
): Promise<void> {
  const client = new KlaviyoClient({ apiKey, baseUrl: url, limiter: FEW_CALLS });
  for (let at = 0; at < emails.length; at += CALL_LIMITS.unsubscribe) {
    const asked = emails.slice(at, at + CALL_LIMITS.unsubscribe);
    const profiles = asked.map((email) => ({ email, channels: ['email' as const] }));
    await client.unsubscribeProfiles({ listId: null, profiles });
  }
  await client.close();
}
