import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createActivities, type Activities } from '../../../src/activities/index.js';
import {
  KlaviyoRateLimitedError,
  LimiterBusyError,
  type KlaviyoClient,
  type ProfileConsent,
} from '../../../src/klaviyo/index.js';
import {
  answerSubmission,
  assignJobs,
  openRowsOfJob,
  settleParts,
  unreadRows,
  type Ledger,
} from '../../../src/ledger/index.js';
import { intent, part } from '../../support/intents.js';
import { ACCOUNT, send, store, openTestLedger } from '../../support/ledger.js';
import { TEST_TIMING } from '../../support/settings.js';
import { email, profile, sms } from '../../support/profiles.js';
import { activityEnvironment, noDestination } from '../../support/activities.js';

/** Ten look-ups of e-mails and ten of phone numbers. */
const ROWS = 1_000;

const phoneOf = (n: number) => `+1201555${String(n).padStart(4, '0')}`;

const PENDING = {
  outcome: 'pending_double_opt_in',
  reason: 'no_click_yet',
  settledBy: 'profile_lookup',
} as const;

/** A run whose share of the limits is less than one job needs must still get through. */
describe('a run that is short of calls', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const people = Array.from({ length: ROWS }, (_, n) =>
    intent({
      email: `p${n}@example.com`,
      phoneNumber: phoneOf(n),
      parts: [part(), part({ channel: 'sms' })],
    }),
  );

  /** Activities whose client answers `free` look-ups, and again as many after each refusal. */
  function shortOfCalls(free: number, refuse: () => Error, everybody: Partial<ProfileConsent>) {
    const calls = { left: free, made: 0 };
    const klaviyo = {
      now: () => null,
      // Nothing shows anybody but a look-up.
      listMetrics: () => Promise.resolve([]),
      listSuppressed: () => Promise.resolve({ profiles: [], next: null }),
      lookUpProfiles({ by, values }: { by: string; values: readonly string[] }) {
        if (calls.left === 0) {
          // Not for those that were asked at the same time.
          setTimeout(() => (calls.left = free), 5);
          return Promise.reject(refuse());
        }
        calls.left -= 1;
        calls.made += 1;
        return Promise.resolve(
          values.map((value) => {
            const n = by === 'email' ? /\d+/.exec(value)?.[0] : String(Number(value.slice(-4)));
            const identifiers = { email: `p${n}@example.com`, phoneNumber: phoneOf(Number(n)) };
            return profile({ id: `P${n}`, ...identifiers, ...everybody });
          }),
        );
      },
    };
    // The look-ups alone are asked for here.
    const activities = createActivities({
      ...noDestination,
      ledger,
      klaviyo: klaviyo as unknown as KlaviyoClient,
      accountId: ACCOUNT,
    });
    /** Attempts until one succeeds. */
    async function attempts<T>(work: (activities: Activities) => () => Promise<T>) {
      for (let attempt = 1; attempt <= 20; attempt += 1) {
        try {
          await activityEnvironment().run(work(activities));
          return { attempt, made: calls.made };
        } catch (error) {
          if (!(error instanceof LimiterBusyError || error instanceof KlaviyoRateLimitedError)) {
            throw error;
          }
          await delay(error.retryAfterMs);
        }
      }
      throw new Error(`it is not done after 20 attempts of ${free} calls`);
    }
    return attempts;
  }

  const busy = () => new LimiterBusyError('get_profiles', 10);
  const throttled = () =>
    new KlaviyoRateLimitedError({ endpoint: 'get_profiles', retryAfterMs: 10 });

  for (const [says, free, refuse, most] of [
    ['six calls an attempt', 6, busy, 4],
    ['two calls an attempt', 2, busy, 10],
    ['six calls before a 429', 6, throttled, 4],
  ] as const) {
    test(`reads everybody’s consent with ${says}, nobody twice`, async () => {
      const id = `guard ${says}`;
      await store(ledger, id, people, { mirror: 'off' });
      const attempts = shortOfCalls(free, refuse, { emailMarketing: null });
      const { attempt, made } = await attempts(
        (activities) => () => activities.readConsent({ migrationId: id, timing: TEST_TIMING }),
      );
      assert.deepEqual(await unreadRows(ledger.db, id, 0, 10), []);
      assert.deepEqual({ attempt: attempt <= most, made }, { attempt: true, made: 20 });
    });
  }

  test('looks at everybody who has not clicked, and counts all who have', async () => {
    const id = 'watch';
    await store(ledger, id, people);
    const pending = people.flatMap((_, n) =>
      (['email', 'sms'] as const).map((channel) => ({ rowNumber: n + 1, channel, ...PENDING })),
    );
    await settleParts(ledger.db, id, pending);
    const looks: unknown[] = [];
    for (const shown of [
      { emailMarketing: null, smsMarketing: null },
      { emailMarketing: email('SUBSCRIBED'), smsMarketing: sms('SUBSCRIBED') },
    ]) {
      const attempts = shortOfCalls(3, busy, shown);
      const { attempt } = await attempts((activities) => async () => {
        looks.push(await activities.lookAtPending({ migrationId: id }));
      });
      assert.equal(attempt, 1, 'it starts from the first person again');
    }
    assert.deepEqual(looks, [
      { confirmed: 0, pending: ROWS },
      { confirmed: ROWS, pending: 0 },
    ]);
  });

  test('looks up what is due until no call is free, and goes on there', async () => {
    const id = 'due';
    const jobs = 60;
    await store(
      ledger,
      id,
      Array.from({ length: jobs }, (_, n) => intent({ email: `p${n}@example.com` })),
      { listId: null },
    );
    await assignJobs(ledger.db, id, null, 1);
    for (let job = 1; job <= jobs; job += 1) {
      const call = await send(ledger.db, id, [{ rowNumber: job, channel: 'email' }], job);
      const answer = { status: 'accepted', partialFailure: null, requestId: null } as const;
      await answerSubmission(ledger.db, call, answer);
    }
    // Nothing shows them by itself, so they are due.
    await ledger.pool.query(
      `update consentry.job set accepted_at = now() - interval '1 minute' where migration_id = $1`,
      [id],
    );
    const looks: number[] = [];
    const attempts = shortOfCalls(48, busy, { emailMarketing: null });
    const look = { migrationId: id, turnMs: 0, follow: false, tell: null };
    const timing = { ...TEST_TIMING, readEveryMs: 30_000, eventsSilentMs: 50 };
    for (let turn = 0; turn < 3; turn += 1) {
      const { made } = await attempts(
        (activities) => () => activities.readProofs({ ...look, timing }),
      );
      looks.push(made);
      await delay(20);
    }
    const [first = 0, ...later] = looks;
    // Those that were asked for together with the refused one may be answered.
    assert.ok(first >= 48 && first < 52, `${first} jobs in the first look`);
    assert.deepEqual(later, [jobs, jobs], 'each job once');
  });

  test('proves what it could look up, and nothing of whom it could not', async () => {
    const id = 'settle';
    await store(ledger, id, people);
    await assignJobs(ledger.db, id);
    const parts = people.flatMap((_, n) =>
      (['email', 'sms'] as const).map((channel) => ({ rowNumber: n + 1, channel })),
    );
    const submission = await send(ledger.db, id, parts);
    const answer = { status: 'accepted', partialFailure: null, requestId: null } as const;
    await answerSubmission(ledger.db, submission, answer);
    const consented = { emailMarketing: email('SUBSCRIBED'), smsMarketing: sms('SUBSCRIBED') };
    const attempts = shortOfCalls(6, busy, consented);
    const { attempt } = await attempts(
      (activities) => () =>
        activities.settleJob({ migrationId: id, jobNumber: 1, final: true, timing: TEST_TIMING }),
    );
    assert.ok(attempt > 1, 'it was never short of calls');
    assert.deepEqual(await openRowsOfJob(ledger.db, id, 1), []);
    const { rows } = await ledger.pool.query<{ outcome: string }>(
      'select distinct outcome from consentry.part where migration_id = $1',
      [id],
    );
    assert.deepEqual(rows, [{ outcome: 'confirmed' }]);
  });
});
