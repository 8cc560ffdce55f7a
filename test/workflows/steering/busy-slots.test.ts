import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { workflowIds } from '../../../src/contracts/names.js';
import { askAboutPerson, getMigration, personAskedAbout } from '../../../src/ledger/index.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { countsOf } from '../../support/outcomes.js';
import { people } from '../../support/people.js';
import { startRun } from '../../support/runs.js';
import type { Gate } from '../../support/klaviyo/gates.js';
import { uniqueName } from '../../support/stack.js';
import type { consentForget } from '../../../src/workflows/index.js';
import { inPhase, until } from '../phases.js';

/** A worker's slots for activities of the account's own task queue. */
const SLOTS = 60;
const JOBS = 90;

/** What must not wait takes tenths of a second, on a busy machine seconds; the gate stays closed. */
const AT_ONCE_MS = 10_000;

async function atOnce<T>(what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(AT_ONCE_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what} did not happen within ${AT_ONCE_MS} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

describe('while all slots wait for a Klaviyo that does not answer', { timeout: 120_000 }, () => {
  let harness: Harness;
  let gate: Gate;
  /** A run with a job for each row, most of which hang in their submit. */
  let busy: string;
  let waiting: string;
  const [person = ''] = people(1);
  const asked = { by: 'email', value: person } as const;

  before(async () => {
    harness = await startHarness();
    harness.sandbox.account.seed({ email: person, email_consent: 'SUBSCRIBED' });
    waiting = await startRun(harness, people(2), { approvalAbove: 0 });
    await inPhase(harness, waiting, 'approval');
    gate = harness.gates.close('bulk_subscribe_profiles');
    busy = await startRun(harness, people(JOBS), { rowsPerJob: 1 });
    // One slot is the reader's, between its turns.
    await until('slots that all hang', () => Promise.resolve(gate.waiting() >= SLOTS - 1));
  });
  after(async () => {
    gate.open();
    for (const id of [waiting, busy]) {
      await harness.consentry.migrations.cancel(id).catch(() => undefined);
      await harness.client.workflow
        .getHandle(workflowIds.migration(id))
        .result()
        .catch(() => undefined);
    }
    await harness.close();
  });

  test('a share is set, after a pause and a resume', async () => {
    const { migrations } = harness.consentry;
    await atOnce('pause', migrations.pause(busy));
    await atOnce('resume', migrations.resume(busy));
    await atOnce('set-share', migrations.setShare(busy, 0.5));
    assert.equal((await getMigration(harness.ledger.db, busy)).paused, false);
  });

  test('a person is shown', async () => {
    const live = await atOnce('show', harness.consentry.people.liveConsent(asked));
    assert.equal(live.profiles[0]?.email, person);
  });

  test('a question whose asker died is deleted', async () => {
    const { accountId, client, ledger, taskQueue } = harness;
    const requestId = uniqueName('question');
    await askAboutPerson(ledger.db, { id: requestId, accountId, person: asked });
    const deleted = client.workflow.execute<typeof consentForget>('consentForget', {
      workflowId: workflowIds.forget(requestId),
      taskQueue,
      args: [{ requestId, forgetAfterMs: 1 }],
    });
    await atOnce('forget', deleted);
    assert.equal(await personAskedAbout(ledger.db, requestId), null);
  });

  test('an account is checked', async () => {
    await atOnce('check', harness.consentry.migrations.check({ listId: SINGLE }));
  });

  test('whoever asks about a person that Klaviyo does not answer for holds up nobody else', async () => {
    const reads = harness.gates.close('get_profiles');
    const questions = Array.from({ length: 15 }, () => harness.consentry.people.liveConsent(asked));
    await until('slots that all hang', () => Promise.resolve(reads.waiting() >= 10));
    await atOnce('set-share', harness.consentry.migrations.setShare(busy, 0.6));
    reads.open();
    await Promise.all(questions);
  });

  test('an approved run goes on', async () => {
    await harness.consentry.migrations.approve(waiting);
    await atOnce('phase submit', ledgerHas(waiting, 'submit'));
  });

  test('of a cancelled run, what is not on its way is settled', async () => {
    await harness.consentry.migrations.cancel(busy);
    await atOnce(
      'rows that are cancelled',
      until('rows that are cancelled', async () => {
        const { cancelled_before_sending: cancelled = 0 } = await countsOf(harness, busy);
        return cancelled >= JOBS - SLOTS;
      }),
    );
    assert.ok(gate.waiting() >= SLOTS - 1, 'what is on its way still is');
  });

  function ledgerHas(id: string, phase: string): Promise<void> {
    return until(phase, async () => (await getMigration(harness.ledger.db, id)).phase === phase);
  }
});
