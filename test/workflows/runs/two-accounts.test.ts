import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import { taskQueueOf, workflowIds } from '../../../src/contracts/names.js';
import { penalise } from '../../../src/ledger/index.js';
import { parseRequest } from '../../../src/starter/migrations/request/parse.js';
import { migrationInput } from '../../../src/starter/migrations/settings.js';
import type { consentMigration } from '../../../src/workflows/index.js';
import { intent } from '../../support/intents.js';
import { store } from '../../support/ledger.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { uniqueName } from '../../support/stack.js';
import { people } from '../../support/people.js';
import { outcomesOf, countsOf } from '../../support/outcomes.js';
import { inPhase } from '../phases.js';

const SUBSCRIBE = 'bulk_subscribe_profiles';

describe('two accounts on one Temporal and one ledger', { timeout: 180_000 }, () => {
  let harness: Harness;
  /** The harness's own account, and another one. */
  let ours: Sandbox;
  let theirs: Sandbox;
  const OURS = 'Ours01';
  const THEIRS = 'Their1';
  before(async () => {
    theirs = await startSandbox({
      account: { id: THEIRS },
      apiKey: 'pk_theirs',
      delays: 'fast',
      lists: [{ id: SINGLE, name: 'Single', opt_in_process: 'single_opt_in' }],
    });
    harness = await startHarness({ sandbox: { account: { id: OURS }, apiKey: 'pk_ours' } });
    ours = harness.sandbox;
    await harness.startWorker({ apiKey: theirs.apiKey, baseUrl: theirs.url });
  });
  after(async () => {
    await harness.close();
    await theirs.close();
  });

  async function start(account: string, rows: readonly string[]): Promise<string> {
    const { id } = await harness.consentry.migrations.start({
      account,
      file: await harness.source(`${account}-${rows[0] ?? ''}.csv`, [
        'email,email_consent',
        ...rows,
      ]),
      listId: SINGLE,
      timing: TEST_TIMING,
    });
    return id;
  }

  const subscribed = (all: readonly string[]) => all.map((email) => `${email},subscribed`);

  const carried = ({ account }: Sandbox) =>
    [...account.subscribed()].map(({ email }) => email ?? '').sort();
  test('the people of each run reach its own account, and nobody else', async () => {
    const [a, b] = [people(6), people(6)];
    const shared = people(2);
    // One of them has said no to the other account alone.
    theirs.account.seed({ email: shared[0]!, email_consent: 'UNSUBSCRIBED' });
    const [runA, runB] = await Promise.all([
      start(OURS, subscribed([...a, ...shared])),
      start(THEIRS, subscribed([...b, ...shared])),
    ]);
    await Promise.all([runA, runB].map((id) => harness.consentry.migrations.waitForEnd(id)));
    assert.deepEqual(await countsOf(harness, runA), { confirmed: 8 });
    assert.deepEqual(await countsOf(harness, runB), { confirmed: 7, opted_out_before_run: 1 });
    assert.deepEqual(carried(ours), [...a, ...shared].sort());
    assert.deepEqual(carried(theirs), [...b, shared[1]!].sort());
  });

  test('who is opted out of one account by a run may be subscribed to the other', async () => {
    const [person = ''] = people(1);
    ours.account.seed({ email: person, email_consent: 'SUBSCRIBED' });
    const out = await start(OURS, [`${person},unsubscribed`]);
    await harness.consentry.migrations.waitForEnd(out);
    const into = await start(THEIRS, [`${person},subscribed`]);
    await harness.consentry.migrations.waitForEnd(into);
    assert.deepEqual(await outcomesOf(harness.ledger, into), { [`${person} email`]: 'confirmed' });
    const consentAt = ({ account }: Sandbox) =>
      account.truthFor({ email: person })?.subscriptions.email.marketing.consent;
    assert.deepEqual([consentAt(ours), consentAt(theirs)], ['UNSUBSCRIBED', 'SUBSCRIBED']);
  });

  for (const [says, takeAll] of [
    ['Klaviyo slows down', () => penalise(harness.ledger.db, OURS, SUBSCRIBE, 600_000)],
    [
      'has used up its limits',
      () =>
        harness.ledger.pool.query(
          `insert into consentry.granted_call (account, endpoint, granted_at)
            select $1, $2, clock_timestamp() from generate_series(1, 1000)`,
          [OURS, SUBSCRIBE],
        ),
    ],
  ] as const) {
    test(`one that ${says} does not slow down the other`, async () => {
      await takeAll();
      const slow = await start(OURS, subscribed(people(2)));
      const quick = await start(THEIRS, subscribed(people(2)));
      assert.equal((await harness.consentry.migrations.waitForEnd(quick)).phase, 'done');
      assert.deepEqual(await countsOf(harness, quick), { confirmed: 2 });
      await inPhase(harness, slow, 'submit');
      assert.deepEqual(await countsOf(harness, slow), { open: 2 });
      await harness.ledger.pool.query('delete from consentry.penalty');
      await harness.ledger.pool.query('delete from consentry.granted_call');
      await harness.consentry.migrations.cancel(slow);
      await harness.consentry.migrations.waitForEnd(slow);
    });
  }

  test('a request that names none is refused where there are two', async () => {
    const [person = ''] = people(1);
    await assert.rejects(
      harness.consentry.migrations.start({
        file: await harness.source('nobody.csv', ['email,email_consent', `${person},subscribed`]),
        listId: SINGLE,
      }),
      /Workers for 2 Klaviyo accounts use this ledger.*Ours01, Their1/,
    );
  });

  test('a worker whose key is of the other account does not start', async () => {
    await assert.rejects(
      harness.startWorker({ apiKey: theirs.apiKey, baseUrl: theirs.url, account: OURS }),
      /KLAVIYO_API_KEY is of account Their1, but this worker is for Ours01/,
    );
  });

  test('a run that a worker of the other account gets into its hands calls nothing', async () => {
    const [person = ''] = people(1);
    const id = uniqueName('astray');
    await store(harness.ledger, id, [intent({ email: person })], { listId: SINGLE }, OURS);
    const prefix = harness.taskQueue.slice(0, -OURS.length - 1);
    await harness.client.workflow.start<typeof consentMigration>('consentMigration', {
      workflowId: workflowIds.migration(id),
      taskQueue: taskQueueOf(THEIRS, prefix),
      args: [migrationInput(id, parseRequest({ file: 'a.csv', timing: TEST_TIMING }), 1)],
    });
    await assert.rejects(
      harness.consentry.migrations.waitForEnd(id),
      /The run is for account Ours01, but this worker has a key of account Their1: no call was made/,
    );
    assert.deepEqual(await countsOf(harness, id), { migration_stopped: 1 });
    assert.deepEqual((await harness.consentry.migrations.report(id)).calls, []);
  });
});
