import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { startSandbox, type Sandbox } from 'klaviyo-sandbox';
import { createActivities } from '../../../src/activities/index.js';
import type { MigrationSettings, MigrationTiming } from '../../../src/contracts/migration.js';
import { KlaviyoClient, type RateLimiter } from '../../../src/klaviyo/index.js';
import type { Ledger } from '../../../src/ledger/index.js';
import { activityEnvironment, noDestination } from '../../support/activities.js';
import { intent, part } from '../../support/intents.js';
import { openTestLedger, store } from '../../support/ledger.js';
import { TEST_TIMING } from '../../support/settings.js';

const LIST = 'LIST01';
const OTHER = 'OTHER1';
const HOUR = 3_600_000;
/** Not a change that is read again. */
const LONG_AGO = '2023-01-01T00:00:00Z';
const EVENTS_LATE_MS = 10 * 60_000;
const TIMING = { ...TEST_TIMING, optOutsMaxAgeMs: 0, optOutsLateMs: EVENTS_LATE_MS };

const UNLIMITED: RateLimiter = {
  acquire: () => Promise.resolve(),
  penalise: () => Promise.resolve(),
};

/** People whom a look-up would leave out, and of whom less is remembered than Klaviyo knows. */
describe('who said no is not subscribed from memory', { timeout: 120_000 }, () => {
  let ledger: Ledger;
  let sandbox: Sandbox;
  let klaviyo: KlaviyoClient;
  let aheadMs = 0;
  before(async () => {
    const now = Date.now.bind(Date);
    mock.method(Date, 'now', () => now() + aheadMs);
    ledger = await openTestLedger();
    sandbox = await startSandbox({
      delays: { suppression: [0, 0], event: [EVENTS_LATE_MS, EVENTS_LATE_MS], readLag: [0, 0] },
      switches: { events: 'late' },
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
  });
  after(async () => {
    await klaviyo.close();
    await sandbox.close();
    await ledger.close();
  });

  /** Runs of an account that the ledger knows nothing of. */
  function account(accountId: string) {
    const activities = createActivities({ ...noDestination, ledger, klaviyo, accountId });
    let count = 0;
    return {
      /** How the parts of a run about one person end when their consent is read. */
      async read(
        { email, phone = null }: { email: string; phone?: string | null },
        settings: Partial<MigrationSettings>,
        timing: Partial<MigrationTiming> = {},
      ): Promise<string[]> {
        count += 1;
        const id = `${accountId} run ${count}`;
        const parts = [part(), ...(phone === null ? [] : [part({ channel: 'sms' })])];
        const row = intent({ email, phoneNumber: phone, parts });
        await store(ledger, id, [row], { listId: LIST, ...settings }, accountId);
        await activityEnvironment().run(() =>
          activities.readConsent({ migrationId: id, timing: { ...TIMING, ...timing } }),
        );
        const { rows } = await ledger.pool.query<{ outcome: string | null }>(
          `select p.outcome from consentry.part p
            join consentry.migration m on m.number = p.migration_number
            where m.id = $1 order by p.channel`,
          [id],
        );
        return rows.map(({ outcome }) => outcome ?? 'sent');
      },
      /** For the ledger as for Klaviyo. */
      async hoursPass(hours: number): Promise<void> {
        sandbox.account.advance(hours * HOUR);
        aheadMs += hours * HOUR;
        for (const [table, column] of [
          ['profile', 'read_at'],
          ['looked_up', 'read_at'],
          ['opt_out', 'shown_at'],
          ['account_feed', 'read_at'],
          ['account_feed', 'whole_since'],
        ]) {
          await ledger.pool.query(
            `update consentry.${table} set ${column} = ${column} - make_interval(hours => $2)
              where account_id = $1`,
            [accountId, hours],
          );
        }
        await klaviyo.getAccount();
      },
    };
  }

  /** Gives somebody another address, which Klaviyo does not show. */
  async function addSecondary(email: string, secondary: string): Promise<void> {
    const [profile] = await klaviyo.lookUpProfiles({ by: 'email', values: [email] });
    assert.ok(profile !== undefined);
    const meta = { patch_identifiers: { append: { email: secondary } } };
    const data = { type: 'profile', id: profile.id, attributes: {}, meta };
    const answer = await fetch(`${sandbox.url}/api/profiles/${profile.id}`, {
      method: 'PATCH',
      headers: {
        Authorization: `Klaviyo-API-Key ${sandbox.apiKey}`,
        'Content-Type': 'application/vnd.api+json',
        revision: '2026-07-15',
      },
      body: JSON.stringify({ data }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  test('after the whole account was read, somebody opts out whose other address is asked for', async () => {
    const runs = account('opts out later');
    sandbox.account.seed({ email: 'main1@example.com', created: LONG_AGO });
    await addSecondary('main1@example.com', 'second1@example.com');
    await runs.hoursPass(1);
    await runs.read({ email: 'nobody1@example.com' }, { mirror: 'always' });
    await klaviyo.unsubscribeProfiles({
      listId: null,
      profiles: [{ email: 'main1@example.com', phoneNumber: null, channels: ['email'] }],
    });
    const second = { email: 'second1@example.com' };
    const recalled = await runs.read(second, { mirror: 'always' });
    assert.deepEqual(recalled, await runs.read(second, { mirror: 'off' }));
    assert.deepEqual(recalled, ['skipped_opted_out']);
  });

  test('they left a list whose feeds no run has read since', async () => {
    const runs = account('left another list');
    const ada = { email: 'ada2@example.com' };
    sandbox.account.seed({ ...ada, lists: [LIST, OTHER], created: LONG_AGO });
    await runs.read(ada, { listId: OTHER });
    await runs.read(ada, { listId: OTHER, mirror: 'always' });
    await runs.hoursPass(2);
    sandbox.account.unsubscribe({ ...ada, list_id: OTHER });
    await runs.hoursPass(2);
    await runs.read(ada, { listId: LIST, mirror: 'always' });
    const recalled = await runs.read(ada, { listId: OTHER });
    assert.deepEqual(recalled, await runs.read(ada, { listId: OTHER, mirror: 'off' }));
    assert.deepEqual(recalled, ['skipped_opted_out']);
  });

  test('they stopped texts, and the event is late', async () => {
    const runs = account('stopped texts');
    const ben = { email: 'ben3@example.com', phone: '+12015550103' };
    sandbox.account.seed({ email: ben.email, phone_number: ben.phone, created: LONG_AGO });
    await runs.read(ben, {});
    sandbox.account.stopSms({ phone_number: ben.phone });
    const recalled = await runs.read(ben, { mirror: 'always' });
    assert.deepEqual(recalled, await runs.read(ben, { mirror: 'off' }));
    assert.deepEqual(recalled, ['sent', 'skipped_opted_out']);
  });

  test('mail to them has bounced', async () => {
    const runs = account('bounced');
    const cleo = { email: 'cleo5@example.com' };
    sandbox.account.seed({ ...cleo, created: LONG_AGO });
    await runs.read(cleo, {});
    const timestamp = new Date(Date.now()).toISOString();
    sandbox.account.seed({ ...cleo, suppressions: [{ reason: 'HARD_BOUNCE', timestamp }] });
    const recalled = await runs.read(cleo, { mirror: 'always' });
    assert.deepEqual(recalled, await runs.read(cleo, { mirror: 'off' }));
    assert.deepEqual(recalled, ['skipped_opted_out']);
  });

  test('a later look-up did not say what they consented to', async () => {
    const runs = account('later look-up');
    const second = { email: 'second4@example.com' };
    await runs.read(second, {});
    sandbox.account.seed({ email: 'main4@example.com', email_consent: 'UNSUBSCRIBED' });
    await addSecondary('main4@example.com', second.email);
    // What is remembered is too old for this run.
    assert.deepEqual(await runs.read(second, { mirror: 'always' }, { consentMaxAgeMs: 0 }), [
      'skipped_opted_out',
    ]);
    const recalled = await runs.read(second, { mirror: 'always' });
    assert.deepEqual(recalled, await runs.read(second, { mirror: 'off' }));
    assert.deepEqual(recalled, ['skipped_opted_out']);
  });

  test('the whole account is read again after a day', async () => {
    const runs = account('a day later');
    const dan = { email: 'dan6@example.com' };
    await runs.read(dan, { mirror: 'always' });
    await runs.hoursPass(25);
    await runs.read(dan, { mirror: 'always' });
    const { rows } = await ledger.pool.query<{ again: boolean }>(
      `select whole_since > now() - interval '1 hour' as again from consentry.account_feed
        where account_id = 'a day later' and feed = 'profiles'`,
    );
    assert.deepEqual(rows, [{ again: true }]);
  });
});
