/**
 * Cancels a large migration when a share of its rows has been accepted. Prints how long it takes to
 * end compared with Klaviyo's longest delay, whether anything was sent after `cancel` returned, and
 * whether every row's outcome matches the account. Limits and delays are Klaviyo's; `--lifted`
 * multiplies the limits by 1,000. Sandbox, worker, PostgreSQL and Temporal are separate processes.
 *
 *   npm run bench -- cancel [--rows 260000] [--share 0.2] [--lifted]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DELAYS } from 'klaviyo-sandbox';
import type { DemoStack } from '../src/demo/stack.js';
import { openLedger, type Ledger } from '../src/ledger/index.js';
import { LIST, withStack, type BenchStack } from './stack/stack.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '260000' },
    /** Share of the rows that are accepted before the cancel. */
    share: { type: 'string', default: '0.2' },
    lifted: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const share = Number(values.share);
const [, LONGEST_DELAY_MS] = DELAYS.klaviyo.subscribeLive;

await withStack(rows, values.lifted ? { rateLimitFactor: 1_000 } : {}, run);

async function run(stack: BenchStack): Promise<void> {
  const { file, lifecycle } = stack;
  const ledger = await openLedger(stack.addresses.databaseUrl);
  lifecycle.onStop('ledger', () => ledger.close());
  const { consentry } = stack.connected;
  const began = performance.now();
  const { id } = await consentry.migrations.start({ file, listId: LIST, watchDays: 0 });
  while ((await stack.sandbox.subscribedCount()) < rows * share) await delay(20);

  const asked = performance.now();
  const accepted = await stack.sandbox.subscribedCount();
  await consentry.migrations.cancel(id);
  const returned = performance.now();
  const begun = await countCalls(ledger, id);
  const { phase } = await consentry.migrations.waitForEnd(id);
  const ended = performance.now();
  const begunAtEnd = await countCalls(ledger, id);
  const { outcomes } = await consentry.migrations.report(id);
  console.table({
    rows,
    'from start to cancel (s)': seconds(asked - began),
    'accepted before cancel (rows)': accepted,
    'cancel returned after (s)': seconds(returned - asked),
    'accepted at the end (rows)': await stack.sandbox.subscribedCount(),
    'calls begun after cancel returned': begunAtEnd - begun,
    'ended as': phase,
    'from cancel to the end (s)': seconds(ended - asked),
    'Klaviyo’s longest delay (s)': seconds(LONGEST_DELAY_MS),
    'beyond that delay (s)': seconds(ended - asked - LONGEST_DELAY_MS),
    'rows with a wrong outcome': await countWrongOutcomes(stack, id),
  });
  console.table(outcomes);
}

/** Calls that a run has begun: they are in the ledger before they are made. */
async function countCalls(ledger: Ledger, id: string): Promise<number> {
  const { rows: counted } = await ledger.pool.query<{ calls: number }>(
    'select count(*)::integer as calls from consentry.submission where migration_id = $1',
    [id],
  );
  return counted[0]?.calls ?? 0;
}

/** Rows whose outcome does not match the account: subscribed, or not. */
async function countWrongOutcomes({ sandbox, connected }: DemoStack, id: string): Promise<number> {
  const subscribed = new Set<string | null>();
  for (const { email, subscriptions } of await sandbox.truth()) {
    if (subscriptions.email.marketing.consent === 'SUBSCRIBED') subscribed.add(email);
  }
  let wrong = 0;
  for await (const page of connected.consentry.migrations.parts(id)) {
    for (const { email, outcome } of page) {
      const expected = subscribed.has(email) ? 'confirmed' : 'cancelled';
      if (outcome !== expected) wrong += 1;
    }
  }
  return wrong;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
