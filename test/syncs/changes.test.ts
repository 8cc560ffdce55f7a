import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { populate, type TruthLine } from 'klaviyo-sandbox';
import { startCursorProxy } from '../support/klaviyo/cursor-proxy.js';
import { startSyncWorld, type SyncWorld } from './world.js';

describe('changes of a synced account', () => {
  let world: SyncWorld;
  /** Subscribed to mail and texts, with an address and a number: each test takes its own. */
  let subscribed: (TruthLine & { email: string; phone_number: string })[];

  before(async () => {
    world = await startSyncWorld();
    await populate(world.sandbox.account, {
      profiles: 400,
      phone_share: 1,
      user_suppressed_share: 0.05,
    });
    subscribed = [...world.sandbox.account.truth()].filter(
      (line): line is TruthLine & { email: string; phone_number: string } =>
        line.email !== null &&
        line.phone_number !== null &&
        line.subscriptions.email.marketing.consent === 'SUBSCRIBED' &&
        line.subscriptions.email.marketing.suppression.length === 0 &&
        line.subscriptions.sms.marketing.consent === 'SUBSCRIBED',
    );
    // An account gets a metric with its first event, and is asked for metrics once a second at most.
    const first = taken();
    world.sandbox.account.unsubscribe({ email: first.email });
    world.sandbox.account.stopSms({ phone_number: first.phone_number });
    await sync();
  });
  after(() => world.close());

  const sync = (full = false) => world.sync({ history: 'consent_history', full });
  const taken = () => {
    const line = subscribed.pop();
    assert.ok(line !== undefined);
    return line;
  };
  const row = async (id: string) => {
    const [found] = await world.rows('select * from klaviyo_consent where profile_id = $1', [id]);
    assert.ok(found !== undefined, `no row of ${id}`);
    return found;
  };
  const history = (id: string) =>
    world.rows(
      `select channel, old_value, new_value, noticed_by from consent_history
       where profile_id = $1 order by id`,
      [id],
    );

  test('nobody who left in any way may be mailed after the next run', async () => {
    const { account } = world.sandbox;
    const [byLink, byStop, bySpam, byHand, byApi] = [taken(), taken(), taken(), taken(), taken()];
    account.unsubscribe({ email: byLink.email });
    account.stopSms({ phone_number: byStop.phone_number });
    account.complain({ email: bySpam.email });
    account.suppress({ email: byHand.email });
    await unsubscribeByApi(byApi.email);
    const { whole, changed } = await sync();
    assert.deepEqual({ whole, changed }, { whole: null, changed: 5 });
    for (const { id } of [byLink, bySpam, byHand, byApi]) {
      const { may_send_email_marketing: mails, may_send_sms_marketing: texts } = await row(id);
      assert.deepEqual({ mails, texts }, { mails: false, texts: true });
    }
    const stopped = await row(byStop.id);
    assert.equal(stopped['may_send_sms_marketing'], false);
    assert.equal(stopped['may_send_email_marketing'], true);
    assert.deepEqual(
      (await history(byApi.id)).map(({ channel, new_value }) => [channel, new_value]).slice(0, 1),
      [['email_marketing', 'UNSUBSCRIBED']],
    );
    await world.assertTrue();
  });

  test('a suppression that shows late has the date of its request, and is found', async () => {
    const { account } = world.sandbox;
    const late = taken();
    account.suppress({ email: late.email, surfaces_after_ms: 2 * 3_600_000 });
    await sync();
    assert.equal((await row(late.id))['may_send_email_marketing'], true);
    account.pass(3 * 3_600_000);
    await sync();
    assert.equal((await row(late.id))['may_send_email_marketing'], false);
    await world.assertTrue();
    const [status] = await world.harness.consentry.syncs.status();
    const { email_marketing_suppressions: suppressed, whatsapp_marketing: none } =
      status?.lag ?? {};
    const hours = (suppressed?.largestMs ?? 0) / 3_600_000;
    assert.ok(hours > 2.9 && hours < 3.1, `${hours} h`);
    assert.ok((suppressed?.medianMs ?? Infinity) < 60_000, 'the others were noticed at once');
    assert.equal(none, null);
  });

  test('somebody new, and somebody who comes back', async () => {
    const { account } = world.sandbox;
    const back = taken();
    account.unsubscribe({ email: back.email });
    await sync();
    account.subscribe({ email: back.email });
    account.subscribe({ email: 'new@example.com' });
    const { added } = await sync();
    assert.equal(added, 1);
    assert.equal((await row(back.id))['may_send_email_marketing'], true);
    const isNew = account.truthFor({ email: 'new@example.com' });
    assert.deepEqual(await history(isNew?.id ?? ''), [
      {
        channel: 'email_marketing',
        old_value: null,
        new_value: 'SUBSCRIBED',
        noticed_by: 'updated',
      },
    ]);
    await world.assertTrue();
  });

  test('a sweep finds what no source shows, and says so', async () => {
    const { account } = world.sandbox;
    const { profiles } = account;
    const lifted = [...account.truth()].find(({ subscriptions: { email } }) =>
      email.marketing.suppression.some(({ reason }) => reason === 'USER_SUPPRESSED'),
    );
    assert.ok(lifted !== undefined);
    const index = profiles.withId(lifted.id);
    assert.ok(index !== undefined);
    profiles.liftSuppressions(index, new Set(['USER_SUPPRESSED'] as const));
    assert.equal((await sync()).changed, 0);
    const { whole, changed, drift } = await sync(true);
    assert.deepEqual({ whole, changed }, { whole: 'sweep', changed: 1 });
    assert.deepEqual(Object.keys(drift).sort(), [
      'email_marketing (undated)',
      'email_marketing_suppressions (undated)',
    ]);
    await world.assertTrue();
    assert.deepEqual((await sync(true)).drift, {});
  });

  test('who was merged or deleted keeps or loses the row, and is never mailed', async () => {
    const { account } = world.sandbox;
    const { profiles, identities, deleting } = account;
    const [merged, into, deleted] = [taken(), taken(), taken()];
    const numbers = [merged, into].map(({ id }) => profiles.withId(id) ?? assert.fail(id));
    identities.merge(numbers[0] ?? -1, numbers[1] ?? -1, 'destination');
    deleting.accept({ field: 'id', value: deleted.id });
    account.advance(3_600_000);
    const { removed } = await sync(true);
    assert.equal(removed, 2);
    const was = await row(merged.id);
    assert.equal(was['merged_into'], into.id);
    assert.equal(was['may_send_email_marketing'], false);
    assert.deepEqual(
      await world.rows('select 1 from klaviyo_consent where profile_id = $1', [deleted.id]),
      [],
    );
    const marks = await world.rows('select * from klaviyo_consent where deleted_at is not null');
    assert.equal(marks.length, 1);
    assert.match(String(marks[0]?.['profile_id']), /^deleted-/);
    assert.equal(marks[0]?.['email'], null);
    assert.deepEqual(await history(deleted.id), []);
    assert.ok(
      !JSON.stringify(await world.rows('select * from consent_history')).includes(deleted.email),
    );
    await world.assertTrue();
    const { removed: again } = await sync(true);
    assert.equal(again, 0);
  });

  async function unsubscribeByApi(email: string): Promise<void> {
    const { url, apiKey } = world.sandbox;
    const marketing = { subscriptions: { email: { marketing: { consent: 'UNSUBSCRIBED' } } } };
    const profile = { type: 'profile', attributes: { email, ...marketing } };
    const type = 'profile-subscription-bulk-delete-job';
    const answer = await fetch(`${url}/api/profile-subscription-bulk-delete-jobs`, {
      method: 'POST',
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision: '2026-10-15',
        'content-type': 'application/vnd.api+json',
      },
      body: JSON.stringify({ data: { type, attributes: { profiles: { data: [profile] } } } }),
    });
    assert.equal(answer.status, 202, await answer.text());
  }

  test('a cursor that Klaviyo refuses begins the reading of its source again', async () => {
    const { harness, sandbox } = world;
    const { account } = sandbox;
    const proxy = await startCursorProxy(sandbox.url);
    await harness.stopWorkers();
    await harness.startWorker({ baseUrl: proxy.url });
    try {
      const added = Array.from({ length: 150 }, (_, n) => `cursor${n}@example.com`);
      for (const email of added) account.subscribe({ email });
      proxy.expire(1);
      assert.equal((await sync()).added, added.length);
      assert.equal(proxy.left(), 0);
      await world.assertTrue();
      // Not for ever: something else may be wrong.
      proxy.expire(100);
      await assert.rejects(sync(), /refused .* with 400/);
      assert.ok(proxy.left() > 90, `${proxy.left()} left`);
    } finally {
      await harness.stopWorkers();
      await proxy.close();
    }
  });
});
