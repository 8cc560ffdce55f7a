import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { workflowIds } from '../../../src/contracts/names.js';
import { DOUBLE, SINGLE, startHarness, type Harness } from '../../support/harness.js';
import { outcomesOf } from '../../support/outcomes.js';
import { TEST_TIMING } from '../../support/settings.js';
import { untilJobWaits } from '../phases.js';

const COLUMNS = 'email,phone_number,email_consent,sms_consent';
const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 16);
const MINUTE_MS = 60_000;

describe('quiet hours', { timeout: 300_000 }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  /** Quiet since a minute, until the beginning of a minute. */
  const start = async (
    name: string,
    rows: readonly string[],
    { until, listId = DOUBLE }: { readonly until: number; readonly listId?: string },
  ): Promise<string> => {
    const { id } = await harness.consentry.migrations.start({
      file: await harness.source(`${name}.csv`, [COLUMNS, ...rows]),
      listId,
      optIn: listId === SINGLE ? 'single' : 'double',
      channels: ['email', 'sms'],
      quietHours: { from: timeOf(Date.now() - MINUTE_MS), to: timeOf(until), timeZone: 'UTC' },
      timing: { ...TEST_TIMING, textConsentMaxAgeMs: 1_000 },
    });
    return id;
  };

  /** Numbers that a subscribe to Klaviyo carried. */
  const carried = (phone: string): boolean =>
    [...harness.sandbox.account.subscribed()].some((line) => line.phone_number === phone);

  const timersOf = async (id: string): Promise<string[]> => {
    const { events } = await harness.client.workflow
      .getHandle(workflowIds.job(id, 1))
      .fetchHistory();
    return (events ?? [])
      .filter((event) => Boolean(event.timerStartedEventAttributes))
      .map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? []).toString());
  };

  test('what would ask for a click by text waits for their end, and consent is read again', async () => {
    const [stays, leaves] = ['+12015550191', '+12015550192'];
    for (const phone of [stays, leaves]) harness.sandbox.account.seed({ phone_number: phone });
    // So far away that the job has read consent before.
    const now = Date.now();
    const isLate = now % MINUTE_MS > 40_000;
    const until = Math.floor(now / MINUTE_MS) * MINUTE_MS + (isLate ? 2 : 1) * MINUTE_MS;
    const id = await start('waits', [`,${stays},,yes`, `,${leaves},,yes`], { until });
    await untilJobWaits(harness, id);
    harness.sandbox.account.stopSms({ phone_number: leaves });
    assert.ok(!carried(stays) && Date.now() < until, 'nothing was sent');
    assert.match((await timersOf(id))[0] ?? '', /quiet hours, \d\d:\d\d to \d\d:\d\d \(UTC\)/);
    await harness.consentry.migrations.waitForEnd(id);
    assert.ok(Date.now() >= until);
    const outcomes = await outcomesOf(harness.ledger, id);
    assert.equal(outcomes[`${leaves} sms`], 'opted_out_before_run', JSON.stringify(outcomes));
    assert.ok(carried(stays) && !carried(leaves));
  });

  test('a run that waits can be cancelled', async () => {
    const phone = '+12015550193';
    const id = await start('ends', [`,${phone},,yes`], { until: Date.now() + 600 * MINUTE_MS });
    await untilJobWaits(harness, id);
    await harness.consentry.migrations.cancel(id);
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(await outcomesOf(harness.ledger, id), {
      [`${phone} sms`]: 'cancelled_before_sending',
    });
    assert.ok(!carried(phone));
  });

  test('nothing else waits', async () => {
    const until = Date.now() + 600 * MINUTE_MS;
    const phone = '+12015550194';
    const single = await start('single', [`,${phone},,yes`], { until, listId: SINGLE });
    const mail = await start('mail', ['quiet1@example.com,,yes,'], { until });
    for (const id of [single, mail]) await harness.consentry.migrations.waitForEnd(id);
    assert.ok(carried(phone));
    assert.ok(
      [...harness.sandbox.account.subscribed()].some(({ email }) => email === 'quiet1@example.com'),
    );
  });
});
