import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { type Sandbox, startSandbox } from 'klaviyo-sandbox';
import { createActivities, type Activities } from '../../../src/activities/index.js';
import type { MigrationSettings } from '../../../src/contracts/migration.js';
import { KlaviyoClient, type RateLimiter } from '../../../src/klaviyo/index.js';
import type { Ledger } from '../../../src/ledger/index.js';
import { Metrics } from '../../../src/activities/temporal/metrics.js';
import { OptOutWatch } from '../../../src/activities/opt-outs/watch.js';
import { activityEnvironment, noDestination } from '../../support/activities.js';
import { intent, part } from '../../support/intents.js';
import { openTestLedger, store } from '../../support/ledger.js';
import { TEST_TIMING } from '../../support/settings.js';

const LIST = 'LIST01';
const OTHER = 'OTHER1';

/** Opt-outs are read again by every step. */
/** Worlds of each property. */
const RUNS = 20;

const HOUR = 3_600_000;
const TIMING = { ...TEST_TIMING, optOutsMaxAgeMs: 0, consentMaxAgeMs: HOUR / 4 };

const UNLIMITED: RateLimiter = {
  acquire: () => Promise.resolve(),
  penalise: () => Promise.resolve(),
};

/** What the account holds of somebody before anything is read. */
type Before =
  | 'nobody'
  | 'NEVER_SUBSCRIBED'
  | 'SUBSCRIBED'
  | 'UNSUBSCRIBED'
  | 'complained'
  | 'left'
  | 'secondary';

/** What happens to somebody between two runs. */
const ACTS = [
  'nothing',
  'unsubscribes',
  'leaves the list',
  'leaves another list',
  'complains',
  'stops texts',
  'is suppressed',
  'is unsubscribed by another tool',
  'signs up by a form',
  'signs up and unsubscribes',
  'gets the address of somebody who said no',
  'is created as somebody who said no',
] as const;
type Act = (typeof ACTS)[number];

interface Person {
  /** `secondary`: the address is a secondary one of somebody who said no. */
  readonly before: Before;
  readonly inFirstRun: boolean;
  readonly hasPhone: boolean;
  readonly texts: boolean;
  readonly capitals: boolean;
  readonly acts: readonly Act[];
}

const people = fc.array(
  fc.record({
    before: fc.constantFrom<Before>(
      'nobody',
      'nobody',
      'NEVER_SUBSCRIBED',
      'SUBSCRIBED',
      'UNSUBSCRIBED',
      'complained',
      'left',
      'secondary',
    ),
    inFirstRun: fc.boolean(),
    hasPhone: fc.boolean(),
    texts: fc.boolean(),
    capitals: fc.boolean(),
    acts: fc.array(fc.constantFrom(...ACTS), { minLength: 1, maxLength: 2 }),
  }) satisfies fc.Arbitrary<Person>,
  { minLength: 1, maxLength: 12 },
);

/** Tables of an account, with their times by the ledger's clock. */
const AGEING = [
  ['profile', ['read_at']],
  ['looked_up', ['read_at']],
  ['opt_out', ['shown_at', 'noted_at']],
  ['account_feed', ['read_at', 'whole_since']],
] as const;

/** What happens after all else, before people are recalled. */
const meanwhiles = fc.constantFrom(
  'nothing',
  'hours pass',
  'another run recalls people',
  'another run reads opt-outs',
);

describe('what is remembered of an account’s people', { timeout: 240_000 }, () => {
  let ledger: Ledger;
  let sandbox: Sandbox;
  let klaviyo: KlaviyoClient;
  /** Addresses that were looked up. */
  let asked = 0;
  /** How far Klaviyo's clock was set forward. */
  let aheadMs = 0;
  before(async () => {
    const now = Date.now.bind(Date);
    mock.method(Date, 'now', () => now() + aheadMs);
    ledger = await openTestLedger({ connections: 8 });
    sandbox = await startSandbox({
      delays: {
        subscribeLive: [0, 0],
        subscribeHistorical: [0, 0],
        suppression: [0, 0],
        event: [0, 0],
        readLag: [0, 0],
      },
      rateLimitFactor: 1_000,
      lists: [
        { id: LIST, name: 'News', opt_in_process: 'single_opt_in' },
        { id: OTHER, name: 'Other', opt_in_process: 'single_opt_in' },
      ],
    });
    klaviyo = new KlaviyoClient({
      apiKey: sandbox.apiKey,
      baseUrl: sandbox.url,
      limiter: UNLIMITED,
      version: 'test',
    });
    await klaviyo.getAccount();
    const lookUp = klaviyo.lookUpProfiles.bind(klaviyo);
    mock.method(klaviyo, 'lookUpProfiles', (...query: Parameters<typeof lookUp>) => {
      asked += query[0].values.length;
      return lookUp(...query);
    });
  });
  after(async () => {
    await klaviyo.close();
    await sandbox.close();
    await ledger.close();
  });

  let worlds = 0;
  /** Another world: people of its own, in a ledger that knows nothing of the account. */
  async function world(crowd: readonly Person[]) {
    worlds += 1;
    const accountId = `world${worlds}`;
    const emailOf = (n: number) => `w${worlds}p${n}@example.com`;
    const phoneOf = (n: number) =>
      `+1201${String(2_000_000 + ((worlds * 40 + n) % 7_000_000)).padStart(7, '0')}`;
    const intents = crowd.map(({ hasPhone, texts, capitals }, n) =>
      intent({
        line: n + 2,
        email: emailOf(n),
        rawEmail: capitals ? emailOf(n).toUpperCase() : null,
        phoneNumber: hasPhone ? phoneOf(n) : null,
        parts: [part(), ...(hasPhone && texts ? [part({ channel: 'sms' })] : [])],
      }),
    );
    for (const [n, { before, hasPhone, capitals }] of crowd.entries()) {
      if (before === 'nobody') continue;
      if (before === 'secondary') {
        const main = `main.${emailOf(n)}`;
        sandbox.account.seed({ email: main, email_consent: 'UNSUBSCRIBED' });
        await change(main, {
          attributes: {},
          meta: { patch_identifiers: { append: { email: emailOf(n) } } },
        });
        continue;
      }
      const address = capitals ? emailOf(n).toUpperCase() : emailOf(n);
      sandbox.account.seed({
        email: address,
        ...(hasPhone ? { phone_number: phoneOf(n), lists: [LIST, OTHER] } : { lists: [LIST] }),
        consent_timestamp: '2023-01-01T00:00:00Z',
        ...(before === 'complained' ? { suppressions: ['SPAM_COMPLAINT'] } : {}),
        ...(before === 'left' ? { list_suppressions: [LIST], lists: [] } : {}),
        ...(before === 'SUBSCRIBED' || before === 'UNSUBSCRIBED'
          ? { email_consent: before, ...(hasPhone ? { sms_consent: before } : {}) }
          : {}),
      });
    }
    const activities: Activities = createActivities({
      ...noDestination,
      ledger,
      klaviyo,
      accountId,
    });
    let runs = 0;
    return {
      emailOf,
      phoneOf,
      /** Two hours pass, for the ledger as for Klaviyo. */
      async hoursPass(): Promise<void> {
        sandbox.account.advance(2 * HOUR);
        aheadMs += 2 * HOUR;
        for (const [table, columns] of AGEING) {
          const older = columns.map((column) => `${column} = ${column} - interval '2 hours'`);
          await ledger.pool.query(
            `update consentry.${table} set ${older.join(', ')} where account_id = $1`,
            [accountId],
          );
        }
        // It shows the time.
        await klaviyo.getAccount();
      },
      /** As before a call of a run that recalls nobody. */
      async readOptOuts(): Promise<void> {
        const deps = { ledger, klaviyo, accountId };
        const watch = new OptOutWatch(deps, new Metrics(klaviyo));
        const run = { accountId, listId: LIST, channels: ['email', 'sms'] as const };
        await activityEnvironment().run(() =>
          watch.read(run, TIMING, new AbortController().signal),
        );
      },
      /** Reads a run's consent, and says how its parts ended and how many addresses were asked for. */
      async read(settings: Partial<MigrationSettings>, among: (person: Person) => boolean) {
        runs += 1;
        const id = `${accountId} run ${runs}`;
        const rows = intents.filter((_, n) => crowd[n] !== undefined && among(crowd[n]));
        await store(ledger, id, rows, { listId: LIST, ...settings }, accountId);
        asked = 0;
        await activityEnvironment().run(() =>
          activities.readConsent({ migrationId: id, timing: TIMING }),
        );
        const { rows: parts } = await ledger.pool.query<{
          row_number: number;
          channel: string;
          outcome: string | null;
        }>(
          `select p.row_number, p.channel, p.outcome from consentry.part p
            join consentry.migration m on m.number = p.migration_number
            where m.id = $1 order by 1, 2`,
          [id],
        );
        const ends = new Map(
          parts.map((row) => [`${row.row_number} ${row.channel}`, row.outcome ?? 'sent']),
        );
        return { ends, asked };
      },
    };
  }

  async function happens(act: Act, email: string, phone: string | null): Promise<void> {
    const { account } = sandbox;
    switch (act) {
      case 'nothing':
        return;
      case 'unsubscribes':
        return possibly(() => account.unsubscribe({ email }));
      case 'leaves the list':
        return possibly(() => account.unsubscribe({ email, list_id: LIST }));
      case 'leaves another list':
        return possibly(() => account.unsubscribe({ email, list_id: OTHER }));
      case 'complains':
        return possibly(() => account.complain({ email }));
      case 'stops texts':
        if (phone === null) return;
        return possibly(() => account.stopSms({ phone_number: phone }));
      case 'is suppressed':
        return possibly(() => account.suppress({ email }));
      case 'is unsubscribed by another tool': {
        const profiles = [{ email, phoneNumber: null, channels: ['email'] as const }];
        await klaviyo.unsubscribeProfiles({ listId: null, profiles });
        return;
      }
      case 'signs up by a form':
        return possibly(() => account.subscribe({ email, list_id: LIST }));
      case 'signs up and unsubscribes':
        return possibly(() => {
          account.subscribe({ email, list_id: LIST });
          account.unsubscribe({ email });
        });
      case 'gets the address of somebody who said no': {
        if (account.truthsFor({ email }).length > 0) return;
        const old = `before.${email}`;
        account.seed({ email: old, email_consent: 'UNSUBSCRIBED' });
        await change(old, { attributes: { email } });
        return;
      }
      case 'is created as somebody who said no':
        if (account.truthsFor({ email }).length > 0) return;
        account.seed({
          email,
          email_consent: 'UNSUBSCRIBED',
          created: new Date(Date.now()).toISOString(),
        });
    }
  }

  /** Changes a profile through the API, where it is known by its id. */
  async function change(email: string, data: object): Promise<void> {
    const [profile] = await klaviyo.lookUpProfiles({ by: 'email', values: [email] });
    assert.ok(profile !== undefined);
    const answer = await fetch(`${sandbox.url}/api/profiles/${profile.id}`, {
      method: 'PATCH',
      headers: {
        Authorization: `Klaviyo-API-Key ${sandbox.apiKey}`,
        'Content-Type': 'application/vnd.api+json',
        revision: '2026-07-15',
      },
      body: JSON.stringify({ data: { type: 'profile', id: profile.id, ...data } }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  for (const [begins, first] of [
    ['people who were looked up', 'auto'],
    ['the whole account', 'always'],
  ] as const) {
    test(`decides as looking everybody up would: ${begins}`, async () => {
      let fewer = 0;
      await fc.assert(
        fc.asyncProperty(
          people,
          fc.boolean(),
          meanwhiles,
          async (crowd, hoursBefore, meanwhile) => {
            const staged = await world(crowd);
            await staged.read({ mirror: first }, ({ inFirstRun }) => inFirstRun);
            // What happens is not read as something that is late.
            if (hoursBefore) await staged.hoursPass();
            for (const [n, { acts, hasPhone }] of crowd.entries()) {
              for (const act of acts)
                await happens(act, staged.emailOf(n), hasPhone ? staged.phoneOf(n) : null);
            }
            if (meanwhile !== 'nothing') await staged.hoursPass();
            if (meanwhile === 'another run recalls people') {
              // It sees who opted out, and asks for nobody.
              await staged.read({ mirror: 'always' }, () => false);
              await staged.hoursPass();
            }
            if (meanwhile === 'another run reads opt-outs') await staged.readOptOuts();
            const recalled = await staged.read({ mirror: 'always' }, () => true);
            const looked = await staged.read({ mirror: 'off' }, () => true);
            assert.deepEqual(recalled.ends, looked.ends);
            if (recalled.asked < looked.asked) fewer += 1;
          },
        ),
        { numRuns: RUNS },
      );
      assert.ok(fewer > RUNS / 8, `it saved look-ups in ${fewer} of ${RUNS} worlds`);
    });
  }
});

/** The control surface refuses what cannot be, such as an opt-out of somebody without a profile. */
function possibly(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
