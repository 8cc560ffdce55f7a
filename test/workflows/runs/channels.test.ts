import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { outcomesOf } from '../../support/outcomes.js';

const COLUMNS = [
  'email,phone_number',
  'email_consent,email_consented_at',
  'sms_consent,sms_consented_at',
  'sms_transactional_consent,sms_transactional_consented_at',
  'whatsapp_consent,whatsapp_consented_at',
  'push_consent,push_consented_at,push_token,push_platform',
  'suppressed',
].join(',');
const CHANNELS = ['email', 'sms', 'sms_transactional', 'whatsapp', 'push'] as const;

describe('every channel, each with its own consent', () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  async function run(
    name: string,
    rows: readonly string[],
    request: Partial<MigrationRequest> = {},
  ): Promise<Record<string, string>> {
    const file = await harness.source(`${name}.csv`, [COLUMNS, ...rows]);
    const { id } = await harness.consentry.migrations.start({
      file,
      listId: SINGLE,
      channels: CHANNELS,
      timing: TEST_TIMING,
      ...request,
    });
    await harness.consentry.migrations.waitForEnd(id);
    return outcomesOf(harness.ledger, id);
  }

  const truth = (email: string) => {
    const line = harness.sandbox.account.truthFor({ email });
    assert.ok(line !== undefined, `${email} has no profile`);
    return line.subscriptions;
  };

  test('a live row gets what its columns say, and nothing because an identifier is there', async () => {
    const outcomes = await run('live', [
      'all@example.com,+12015550141,yes,,yes,,yes,,yes,,yes,,token-1,ios,',
      'mail@example.com,+12015550142,yes,,,,,,,,,,,,',
      'ship@example.com,+12015550143,,,,,yes,,,,,,,,',
    ]);
    assert.deepEqual(outcomes, {
      'all@example.com email': 'confirmed',
      'all@example.com sms': 'confirmed',
      'all@example.com sms_transactional': 'confirmed',
      'all@example.com whatsapp': 'confirmed',
      'all@example.com push': 'confirmed',
      'mail@example.com email': 'confirmed',
      'ship@example.com sms_transactional': 'confirmed',
    });
    const mail = truth('mail@example.com');
    assert.equal(mail.sms.marketing.consent, 'NEVER_SUBSCRIBED');
    const shipped = harness.sandbox.account.truthFor({ phone_number: '+12015550143' });
    assert.equal(shipped?.subscriptions.sms.transactional.consent, 'SUBSCRIBED');
    assert.equal(shipped.subscriptions.sms.marketing.consent, 'NEVER_SUBSCRIBED');
    assert.equal(shipped.subscriptions.email.marketing.consent, 'NEVER_SUBSCRIBED');
  });

  test('a historical row keeps the date of each channel', async () => {
    await run(
      'historical',
      [
        'dated@example.com,+12015550144,yes,2020-01-02T03:04:05Z,yes,2021-02-03T04:05:06Z,,,yes,2022-03-04T05:06:07Z,,,,,',
      ],
      { historical: true },
    );
    const { email, sms, whatsapp } = truth('dated@example.com');
    assert.match(email.marketing.consent_timestamp ?? '', /^2020-01-02T03:04:05/);
    assert.match(sms.marketing.consent_timestamp ?? '', /^2021-02-03T04:05:06/);
    assert.match(whatsapp?.marketing?.consent_timestamp ?? '', /^2022-03-04T05:06:07/);
  });

  test('an opt-out of one kind of text keeps the other kind from being sent', async () => {
    harness.sandbox.account.seed({ phone_number: '+12015550145', sms_consent: 'UNSUBSCRIBED' });
    const outcomes = await run('texts', [',+12015550145,,,,,yes,,,,,,,,']);
    assert.deepEqual(outcomes, { '+12015550145 sms_transactional': 'opted_out_before_run' });
  });

  test('who is subscribed goes onto the list, by no other profile and not past an opt-out', async () => {
    const { account } = harness.sandbox;
    account.seed({
      email: 'texted@example.com',
      phone_number: '+12015550150',
      sms_consent: 'SUBSCRIBED',
    });
    account.seed({
      email: 'no-mail@example.com',
      phone_number: '+12015550151',
      sms_consent: 'SUBSCRIBED',
      email_consent: 'UNSUBSCRIBED',
    });
    account.seed({
      email: 'owner@example.com',
      phone_number: '+12015550152',
      sms_consent: 'SUBSCRIBED',
    });
    const outcomes = await run('members', [
      'texted@example.com,+12015550150,,,yes,,,,,,,,,,',
      'no-mail@example.com,+12015550151,,,yes,,,,,,,,,,',
      'other@example.com,+12015550152,,,yes,,,,,,,,,,',
    ]);
    assert.deepEqual(outcomes, {
      'texted@example.com sms': 'already_consented',
      'texted@example.com list': 'list_only',
      'no-mail@example.com sms': 'already_consented',
      'other@example.com sms': 'already_consented',
    });
    const members = [...account.truth()].filter(({ lists }) =>
      lists.some(({ id }) => id === SINGLE),
    );
    const emails = members.map(({ email }) => email);
    assert.ok(emails.includes('texted@example.com'));
    for (const left of ['no-mail@example.com', 'other@example.com', 'owner@example.com']) {
      assert.ok(!emails.includes(left), `${left} is on the list`);
    }
  });

  test('an opt-out is carried out although nobody knows what its row says of a suppression', async () => {
    const email = 'out-perhaps@example.com';
    harness.sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
    const outcomes = await run('perhaps', [
      `${email},,unsubscribed,2021-02-03T04:05:06Z,,,,,,,,,,,perhaps`,
      `${email},,yes,2024-02-03T04:05:06Z,,,,,,,,,,,`,
      'in-perhaps@example.com,,yes,2024-02-03T04:05:06Z,,,,,,,,,,,perhaps',
    ]);
    assert.deepEqual(outcomes, {
      [`${email} email`]: 'confirmed',
      [`${email} suppression`]: 'consent_value_unknown',
      [`${email} email (2)`]: 'newer_statement_refused',
      'in-perhaps@example.com suppression': 'consent_value_unknown',
    });
    assert.equal(truth(email).email.marketing.consent, 'UNSUBSCRIBED');
  });

  test('a suppressed row is suppressed, whatever else it says, and read back', async () => {
    const outcomes = await run('suppressed', ['bounced@example.com,,yes,,,,,,,,,,,,yes']);
    assert.equal(outcomes['bounced@example.com suppression'], 'confirmed');
    const { marketing } = truth('bounced@example.com').email;
    assert.deepEqual(
      marketing.suppression.map(({ reason }) => reason),
      ['USER_SUPPRESSED'],
    );
    assert.equal(marketing.consent, 'NEVER_SUBSCRIBED');
  });

  test('implicit consent puts people on the list and subscribes nobody', async () => {
    const outcomes = await run('implicit', ['quiet@example.com,,yes,,,,,,,,,,,,'], {
      channels: ['email'],
      implicit: true,
    });
    assert.deepEqual(outcomes, { 'quiet@example.com list': 'list_only' });
    assert.equal(truth('quiet@example.com').email.marketing.consent, 'NEVER_SUBSCRIBED');
  });

  test('implicit consent is refused for texts', async () => {
    await assert.rejects(
      run('implicit-texts', [',+12015550146,,,yes,,,,,,,,,,'], { implicit: true }),
      /implicit/i,
    );
  });
});
