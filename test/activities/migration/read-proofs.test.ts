import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.js';
import type { KlaviyoClient, ProfileConsent } from '../../../src/klaviyo/index.js';
import {
  answerSubmission,
  assignJobs,
  beginSubmission,
  noteOptOuts,
  reportedParts,
  type Ledger,
} from '../../../src/ledger/index.js';
import { intent } from '../../support/intents.js';
import { ACCOUNT, store, openTestLedger } from '../../support/ledger.js';
import { TEST_TIMING } from '../../support/settings.js';
import { email, profile } from '../../support/profiles.js';
import { activityEnvironment, noDestination } from '../../support/activities.js';
import { numbers } from './numbers.js';

const TIMING = { ...TEST_TIMING, readEveryMs: 5, eventsSilentMs: 600_000 };
const SENT_AT = '2026-03-04T05:06:07.700Z';
const ONE_EVENT = { id: 'E1', phoneNumber: null, metric: 'asked', listName: null } as const;

describe('the reader of a run', () => {
  let ledger: Ledger;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const address = (n: number) => `p${n}@example.com`;

  /** A run whose rows were all taken by Klaviyo in one call. */
  async function sentRun(
    id: string,
    rows: number,
    { historical = false, sentAt = SENT_AT }: { historical?: boolean; sentAt?: string | null } = {},
  ): Promise<void> {
    const people = Array.from({ length: rows }, (_, n) => intent({ email: address(n + 1) }));
    await store(ledger, id, people, { historicalImport: historical });
    await assignJobs(ledger.db, id);
    const moment = sentAt === null ? null : new Date(sentAt);
    const begun = await beginSubmission(ledger.db, {
      migrationId: id,
      jobNumber: 1,
      bringsIn: true,
      optsOutOf: null,
      asks: null,
      endpoint: 'bulk_subscribe_profiles',
      now: moment && { earliest: moment, latest: moment },
      parts: people.map((_, n) => ({ rowNumber: n + 1, channel: 'email' })),
    });
    assert.ok(begun.state === 'begun');
    const answer = { status: 'accepted', partialFailure: null, requestId: null } as const;
    await answerSubmission(ledger.db, begun.id, answer);
  }

  async function confirmed(id: string): Promise<number[]> {
    const rows: number[] = [];
    for await (const page of reportedParts(ledger.db, id)) {
      rows.push(...page.filter(({ outcome }) => outcome === 'confirmed').map((of) => of.rowNumber));
    }
    return rows;
  }

  /** One turn of a worker that has just started, on a client that has nothing but these feeds. */
  async function turn(id: string, feeds: Partial<Record<keyof KlaviyoClient, unknown>>) {
    const none = () => Promise.resolve({ profiles: [], next: null });
    const klaviyo = {
      now: () => null,
      listSuppressed: none,
      listSuppressedOnList: none,
      getList: () => Promise.resolve({ name: 'Newsletter' }),
      listMetrics: () => Promise.resolve([]),
      ...feeds,
    };
    const activities = createActivities({
      ...noDestination,
      ledger,
      klaviyo: klaviyo as unknown as KlaviyoClient,
      accountId: ACCOUNT,
    });
    await activityEnvironment().run(() =>
      activities.readProofs({
        migrationId: id,
        turnMs: 300,
        follow: false,
        tell: null,
        timing: TIMING,
      }),
    );
  }

  test('goes on from the page at which the worker before it ended', async () => {
    const id = 'resumed';
    const members = 30;
    // The last never shows, so that the job has something to wait for.
    await sentRun(id, members + 1, { historical: true });
    const asked: (string | null)[] = [];
    /** A list of one member a page. */
    const listMembers = (endsBefore: number | null) => ({
      listMembers({ cursor }: { cursor: string | null }) {
        asked.push(cursor);
        const n = Number(cursor ?? 1);
        if (n === endsBefore) return Promise.reject(new Error('the worker was ended'));
        const member: ProfileConsent = profile({
          id: `P${n}`,
          email: address(n),
          emailMarketing: email('SUBSCRIBED'),
          joinedAt: new Date(Date.parse(SENT_AT) + n * 10_000).toISOString(),
        });
        const next = n < members ? String(n + 1) : null;
        return Promise.resolve({ profiles: [member], next });
      },
    });
    await assert.rejects(turn(id, listMembers(8)), /the worker was ended/);
    await assert.rejects(turn(id, listMembers(25)), /the worker was ended/);
    assert.deepEqual((await confirmed(id)).length, 24);
    await turn(id, listMembers(null));
    assert.deepEqual(
      asked.slice(0, members + 2),
      [null, 2, 3, 4, 5, 6, 7, 8, 8, ...numbers(9, 25), ...numbers(25, members)].map(
        (n) => n && String(n),
      ),
    );
    assert.deepEqual(await confirmed(id), numbers(1, members));
  });

  for (const metric of ['unresolved', 'another'] as const) {
    test(`an event whose metric is ${metric} proves nothing`, async () => {
      const id = `metric ${metric}`;
      await sentRun(id, 1);
      const at = '2026-03-04T05:07:00Z';
      await turn(id, {
        listMetrics: () =>
          Promise.resolve([{ id: 'METRIC', name: 'Subscribed to Email Marketing' }]),
        listEvents: () =>
          Promise.resolve({
            events: [{ ...ONE_EVENT, metric, at, email: address(1) }],
            next: null,
          }),
      });
      assert.deepEqual(await confirmed(id), []);
    });
  }

  for (const [says, at, sentAt, proves] of [
    ['of the second of the call', '2026-03-04T05:06:07Z', SENT_AT, true],
    ['of later', '2026-03-04T05:07:00Z', SENT_AT, true],
    ['of the second before the call', '2026-03-04T05:06:06Z', SENT_AT, false],
    ['of a call that nobody knows the time of', '2026-03-04T05:07:00Z', null, false],
  ] as const) {
    test(`an event ${says} ${proves ? 'proves' : 'does not prove'} a subscribe`, async () => {
      const id = `event ${says}`;
      await sentRun(id, 2, { sentAt });
      await turn(id, {
        listMetrics: () =>
          Promise.resolve([{ id: 'METRIC', name: 'Subscribed to Email Marketing' }]),
        listEvents: () =>
          Promise.resolve({
            events: [{ ...ONE_EVENT, at, email: address(1) }],
            next: null,
          }),
      });
      assert.deepEqual(await confirmed(id), proves ? [1] : []);
    });
  }

  test('nobody ends as confirmed at the deadline whose no is known', async () => {
    const id = 'no at the deadline';
    await sentRun(id, 2);
    await noteOptOuts(ledger.db, ACCOUNT, [
      { channel: 'email', identifier: address(1), listId: null, at: SENT_AT, source: 'event' },
    ]);
    const out = new Set<string>();
    const klaviyo = {
      now: () => null,
      lookUpProfiles: ({ values }: { values: readonly string[] }) =>
        Promise.resolve(
          values.map((value) =>
            profile({
              id: value,
              email: value,
              emailMarketing: email(out.has(value) ? 'UNSUBSCRIBED' : 'SUBSCRIBED'),
            }),
          ),
        ),
      lookUpMembers: ({ values }: { values: readonly string[] }) =>
        Promise.resolve(values.map((value) => profile({ id: value, email: value }))),
      unsubscribeProfiles({ profiles }: { profiles: readonly { email: string }[] }) {
        for (const person of profiles) out.add(person.email);
        return Promise.resolve();
      },
    };
    const activities = createActivities({
      ...noDestination,
      ledger,
      klaviyo: klaviyo as unknown as KlaviyoClient,
      accountId: ACCOUNT,
    });
    await activityEnvironment().run(() =>
      activities.settleJob({ migrationId: id, jobNumber: 1, final: true, timing: TIMING }),
    );
    assert.deepEqual([...out], [address(1)]);
    assert.deepEqual(await confirmed(id), [2]);
  });
});
