import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createActivities } from '../../../src/activities/index.js';
import type { MigrationTiming } from '../../../src/contracts/migration.js';
import {
  KlaviyoAnswerUnexpectedError,
  KlaviyoRefusedError,
  KlaviyoUnavailableError,
  type KlaviyoClient,
} from '../../../src/klaviyo/index.js';
import {
  answerSubmission,
  assignJobs,
  noteOptOuts,
  settleParts,
  type Ledger,
} from '../../../src/ledger/index.js';
import { intent } from '../../support/intents.js';
import { ACCOUNT, send, store, openTestLedger } from '../../support/ledger.js';
import { TEST_TIMING } from '../../support/settings.js';
import { email, profile } from '../../support/profiles.js';
import { activityEnvironment, noDestination } from '../../support/activities.js';
import { numbers } from './numbers.js';

const TIMING = { ...TEST_TIMING, readEveryMs: 5, eventsSilentMs: 600_000 };

/** What Klaviyo shows of somebody by and by, and how often they were unsubscribed. */
interface Shown {
  subscribed: boolean;
  unsubscribes: number;
  /** Klaviyo does what it accepts. */
  obeys: boolean;
}

describe('somebody who said no after they were sent', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const address = (id: string, n: number) => `${id}.${n}@example.com`;

  /** A run of which a call has carried so many rows, and one more that is not sent. */
  async function sentRun(id: string, rows = 1, sentMsAgo = 0): Promise<void> {
    const people = Array.from({ length: rows + 1 }, (_, n) => intent({ email: address(id, n) }));
    await store(ledger, id, people, { listId: null, channels: ['email'] });
    await assignJobs(ledger.db, id);
    for (let first = 0; first < rows; first += 1_000) {
      const parts = numbers(first + 1, Math.min(rows, first + 1_000));
      const submission = await send(
        ledger.db,
        id,
        parts.map((rowNumber) => ({ rowNumber, channel: 'email' })),
        1 + first / 1_000,
      );
      const answer = { status: 'accepted', partialFailure: null, requestId: null } as const;
      await answerSubmission(ledger.db, submission, answer);
    }
    await ledger.pool.query(
      `update consentry.submission set sent_at = sent_at - make_interval(secs => $2 / 1000.0),
        answered_at = answered_at - make_interval(secs => $2 / 1000.0) where migration_id = $1`,
      [id, sentMsAgo],
    );
  }

  async function sayNo(id: string, rows = 1): Promise<void> {
    const at = new Date().toISOString();
    await noteOptOuts(
      ledger.db,
      ACCOUNT,
      numbers(0, rows - 1).map((n) => ({
        channel: 'email',
        identifier: address(id, n),
        listId: null,
        at,
        source: 'event',
      })),
    );
  }

  const shownFirst = (subscribed: boolean): Shown => ({ subscribed, unsubscribes: 0, obeys: true });

  function activitiesOn(shown: Shown, feeds: Partial<Record<keyof KlaviyoClient, unknown>> = {}) {
    const none = () => Promise.resolve({ profiles: [], next: null });
    const klaviyo = {
      now: () => null,
      listSuppressed: none,
      listMetrics: () => Promise.resolve([]),
      lookUpProfiles: ({ values }: { values: string[] }) =>
        Promise.resolve(
          values.map((of) =>
            profile({
              id: of,
              email: of,
              emailMarketing: shown.subscribed
                ? { ...email('SUBSCRIBED'), method: 'API' }
                : email('UNSUBSCRIBED', ['UNSUBSCRIBE']),
            }),
          ),
        ),
      unsubscribeProfiles() {
        shown.unsubscribes += 1;
        if (shown.obeys) shown.subscribed = false;
        return Promise.resolve({ partialFailure: null, requestId: null });
      },
      ...feeds,
    } as unknown as KlaviyoClient;
    return createActivities({ ...noDestination, ledger, klaviyo, accountId: ACCOUNT });
  }
  type Activities = ReturnType<typeof activitiesOn>;

  const during = <T>(work: () => Promise<T>): Promise<T> => activityEnvironment().run(work);

  const turn = (
    activities: Activities,
    migrationId: string,
    timing: Partial<MigrationTiming> = {},
  ) =>
    during(() =>
      activities.readProofs({
        migrationId,
        turnMs: 300,
        follow: false,
        tell: null,
        timing: { ...TIMING, ...timing },
      }),
    );

  test('is watched until the call can’t be applied any more, however soon outcomes are wanted', async () => {
    const id = 'soon';
    await sentRun(id);
    await sayNo(id);
    const shown = shownFirst(false);
    const activities = activitiesOn(shown);
    const timing = { confirmWithinMs: 1, appliedWithinMs: 60_000 };
    await turn(activities, id, timing);
    shown.subscribed = true;
    await turn(activities, id, timing);
    assert.deepEqual(shown, { subscribed: false, unsubscribes: 1, obeys: true });
  });

  for (const [says, failure] of [
    [
      'for now',
      new KlaviyoUnavailableError('down', {
        endpoint: 'get_profiles',
        status: 502,
        ambiguous: false,
      }),
    ],
    [
      'for good',
      new KlaviyoAnswerUnexpectedError('no time', { endpoint: 'get_profiles', status: 200 }),
    ],
  ] as const) {
    test(`is taken out again while another feed can’t be read ${says}`, async () => {
      const id = `feed ${says}`.replace(/ /g, '-');
      await sentRun(id);
      await sayNo(id);
      const failing = { listSuppressed: () => Promise.reject(failure) };
      const shown = shownFirst(true);
      const { unread } = await turn(activitiesOn(shown, failing), id);
      assert.equal(unread, says === 'for good' ? failure.message : null);
      assert.equal(shown.unsubscribes, 1);

      const later = shownFirst(true);
      const watch = activityEnvironment();
      const watching = watch.run(() =>
        activitiesOn(later, failing).watchOptOuts({ migrationId: id, timing: TIMING }),
      );
      while (later.unsubscribes === 0) await delay(5);
      watch.cancel();
      await assert.rejects(watching);
    });
  }

  test('is taken out again while another feed takes its time', { timeout: 30_000 }, async () => {
    const id = 'long-feed';
    await sentRun(id);
    await sayNo(id);
    const shown = shownFirst(true);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const activities = activitiesOn(shown, {
      async listSuppressed({ reason }: { reason?: string }) {
        if (reason !== undefined) await held;
        return { profiles: [], next: null };
      },
    });
    const reading = turn(activities, id);
    while (shown.unsubscribes === 0) await delay(5);
    release();
    await reading;
    assert.equal(shown.unsubscribes, 1);
  });

  test('is found by a feed though a later page of it is refused once', async () => {
    const id = 'refused-page';
    await sentRun(id);
    const shown = shownFirst(true);
    let refusals = 0;
    const activities = activitiesOn(shown, {
      listMetrics: () => Promise.resolve([{ id: 'M', name: 'Unsubscribed from Email Marketing' }]),
      listEvents({ cursor }: { cursor: string | null }) {
        if (cursor === null) return Promise.resolve({ events: [], next: 'page 2' });
        refusals += 1;
        if (refusals === 1) {
          const at = { endpoint: 'get_events', status: 400, errors: [] } as const;
          return Promise.reject(new KlaviyoRefusedError(at));
        }
        const said = {
          id: 'E1',
          at: new Date(Date.now() + 1_000).toISOString(),
          email: address(id, 0),
          phoneNumber: null,
          metric: 'asked',
          listName: null,
        } as const;
        return Promise.resolve({ events: [said], next: null });
      },
    });
    await turn(activities, id, { optOutsMaxAgeMs: 0 });
    assert.ok(refusals > 1, 'it was read again');
    assert.equal(shown.unsubscribes, 1);
  });

  test('is taken out again behind a thousand others who are out', async () => {
    const id = 'many';
    const rows = 1_002;
    await sentRun(id, rows);
    await sayNo(id, rows);
    const last = address(id, rows - 1);
    const out: string[] = [];
    const activities = activitiesOn(shownFirst(false), {
      lookUpProfiles: ({ values }: { values: string[] }) =>
        Promise.resolve(
          values.map((of) =>
            profile({
              id: of,
              email: of,
              emailMarketing:
                of === last && out.length === 0
                  ? { ...email('SUBSCRIBED'), method: 'API' }
                  : email('UNSUBSCRIBED', ['UNSUBSCRIBE']),
            }),
          ),
        ),
      unsubscribeProfiles({ profiles }: { profiles: { email: string }[] }) {
        out.push(...profiles.map((of) => of.email));
        return Promise.resolve({ partialFailure: null, requestId: null });
      },
    });
    await turn(activities, id);
    assert.deepEqual(out, [last]);
  });

  test('is given up, and reported so, where Klaviyo takes the opt-out and never shows it', async () => {
    const id = 'never-shown';
    await sentRun(id);
    await sayNo(id);
    const shown = { ...shownFirst(true), obeys: false };
    await during(() =>
      activitiesOn(shown).watchOptOuts({
        migrationId: id,
        timing: { ...TIMING, appliedWithinMs: 1_200, optOutsLateMs: 100 },
      }),
    );
    assert.ok(shown.unsubscribes > 1 && shown.unsubscribes <= 4, `${shown.unsubscribes} calls`);
    const { rows } = await ledger.pool.query<{ outcome: string; reason: string }>(
      'select outcome, reason from consentry.part where migration_id = $1 and row_number = 1',
      [id],
    );
    assert.deepEqual(rows, [{ outcome: 'unconfirmed', reason: 'opt_out_not_read_back' }]);
  });

  const LONG_AGO = 3 * TIMING.appliedWithinMs;

  test('is taken out again where Klaviyo could not be read until the watch was over', async () => {
    const id = 'outage';
    await sentRun(id, 1, LONG_AGO);
    await sayNo(id);
    const shown = shownFirst(true);
    await turn(activitiesOn(shown), id);
    assert.equal(shown.unsubscribes, 1);
  });

  test('is taken out again in a pause, in which nothing else is read back', async () => {
    const id = 'paused';
    await sentRun(id);
    await ledger.pool.query('update consentry.run set paused = true where id = $1', [id]);
    await settleParts(ledger.db, id, [
      { rowNumber: 1, channel: 'email', outcome: 'confirmed', reason: null, settledBy: 'events' },
    ]);
    const shown = shownFirst(true);
    const watching = turn(activitiesOn(shown), id);
    await delay(100);
    await sayNo(id);
    assert.equal((await watching).idle, false);
    assert.equal(shown.unsubscribes, 1);
    await ledger.pool.query(
      `update consentry.submission set sent_at = sent_at - interval '1 hour',
        answered_at = answered_at - interval '1 hour' where migration_id = $1`,
      [id],
    );
    assert.equal((await turn(activitiesOn(shown), id)).idle, true, 'after the watch');
  });
});
