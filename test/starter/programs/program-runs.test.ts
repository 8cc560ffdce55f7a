import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { noteAccount } from '../../../src/ledger/index.js';
import { SettingsError } from '../../../src/starter/migrations/request/settings-error.js';
import { loadPrograms, type Programs } from '../../../src/starter/programs/load.js';
import type { PreparedRun } from '../../../src/starter/programs/program-runs.js';
import type { StartedMigration } from '../../../src/starter/migrations/start.js';
import type { Program } from '../../../src/starter/programs/program.js';
import type { RunOptions } from '../../../src/starter/migrations/request/migration-request.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';

const FILE = `
version: 1
accounts: { shop: {} }
programs:
  asked: { account: shop, list: Double, opt_in: double, source: { file: people.csv } }
  other: { account: shop, list: Double, opt_in: double, source: { file: people.csv } }
  weekly:
    { account: shop, list: Double, opt_in: double, ask_again_days: 7, source: { file: people.csv } }
  texts: { account: shop, list: Single, channels: [sms], source: { file: phones.csv } }
`;

describe('runs of programs', { timeout: 180_000 }, () => {
  let harness: Harness;
  let loaded: Programs;
  before(async () => {
    harness = await startHarness({ sandbox: { clicks: { share: 0, delayMs: [0, 0] } } });
    const people = ['asked', 'sub', 'never', 'odd', 'bounced'].map(
      (who) => `${who}@example.com,yes`,
    );
    await harness.source('people.csv', ['email,email_consent', ...people, 'asked@example.com,yes']);
    await harness.source('phones.csv', ['email,phone_number,sms_consent', ',+12015550123,yes']);
    const path = await harness.source('consentry.yaml', FILE.split('\n'));
    loaded = await loadPrograms(path, {});
    const { account } = harness.sandbox;
    account.seed({ email: 'sub@example.com', email_consent: 'SUBSCRIBED' });
    account.seed({ email: 'never@example.com' });
    account.seed({ email: 'bounced@example.com', suppressions: ['HARD_BOUNCE'] });
    account.seed({ phone_number: '+12015550123' });
  });
  after(() => harness.close());

  function program(name: string): Program {
    const found = loaded.programs.find((each) => each.name === name);
    assert.ok(found !== undefined);
    return found;
  }

  function prepare(name: string, options: RunOptions = {}): Promise<PreparedRun> {
    const timing = { ...TEST_TIMING, confirmWithinMs: 3_000 };
    return harness.consentry.programs.prepare(loaded, program(name), { timing, ...options });
  }

  async function start(name: string, options: RunOptions = {}): Promise<StartedMigration> {
    return startOf(await prepare(name, options));
  }

  async function startOf(prepared: PreparedRun): Promise<StartedMigration> {
    const { started } = await harness.consentry.programs.start(prepared);
    assert.ok(started !== null);
    return started;
  }

  async function statesOf(name: string): Promise<Record<string, number>> {
    const { id } = await start(name, { dryRun: true });
    await harness.consentry.migrations.waitForEnd(id);
    const counted = await harness.consentry.programs.consentBefore(id);
    return Object.fromEntries(counted.map(({ state, contacts }) => [state, contacts]));
  }

  /** How many messages each has got who was asked. */
  const messages = () =>
    ['asked', 'never', 'odd'].map(
      (who) =>
        [...harness.sandbox.account.messages()].find(({ to }) => to === `${who}@example.com`)
          ?.count,
    );

  const BEFORE = {
    subscribed: 1,
    suppressed: 1,
    never_subscribed: 1,
    not_in_klaviyo: 2,
    not_read: 1,
  };

  it('who was asked for a click is pending, in every program that asks for the same', async () => {
    assert.deepEqual(await statesOf('asked'), BEFORE);
    const { id } = await start('asked');
    const { outcomes } = await harness.consentry.migrations.waitForEnd(id);
    assert.equal(outcomes.pending_double_opt_in, 3);
    assert.deepEqual(await statesOf('asked'), {
      subscribed: 1,
      pending: 3,
      suppressed: 1,
      not_read: 1,
    });
    assert.deepEqual(await statesOf('other'), await statesOf('asked'));
    const again = await start('other');
    const { accepted } = await harness.consentry.migrations.waitForEnd(again.id);
    assert.equal(accepted, 0);
    assert.deepEqual(messages(), [1, 1, 1]);
    harness.sandbox.account.click({ email: 'asked@example.com' });
    assert.deepEqual(await statesOf('asked'), {
      subscribed: 2,
      pending: 2,
      suppressed: 1,
      not_read: 1,
    });
  });

  it('who was asked long ago is told apart, and asked again', async () => {
    await sql`update consentry.asked set asked_at = asked_at - interval '7 days'`.execute(
      harness.ledger.db,
    );
    assert.deepEqual(await statesOf('weekly'), {
      subscribed: 2,
      to_ask_again: 2,
      suppressed: 1,
      not_read: 1,
    });
    const { id } = await start('weekly');
    await harness.consentry.migrations.waitForEnd(id);
    assert.deepEqual(messages(), [1, 2, 2]);
  });

  it('a number that Klaviyo knows is not new to it, without consent to texts either', async () => {
    assert.deepEqual(await statesOf('texts'), { never_subscribed: 1 });
  });

  it('a run belongs to its program, and so does a retry of it', async () => {
    const { id } = await start('texts', { dryRun: true });
    await harness.consentry.migrations.waitForEnd(id);
    assert.equal((await harness.consentry.migrations.report(id)).program, 'texts');
    const retry = await harness.consentry.migrations.retryFailed(id, { timing: TEST_TIMING });
    assert.equal((await harness.consentry.migrations.report(retry.id)).program, 'texts');
    await harness.consentry.migrations.cancel(retry.id);
    await harness.consentry.migrations.waitForEnd(retry.id);
  });

  it('two programs with the same people do not wait for each other, nor a run for a dry run', async () => {
    const dryRun = await prepare('asked', { dryRun: true });
    const realRun = await prepare('asked');
    const otherRun = await prepare('other', { dryRun: true });
    const gate = harness.gates.close('get_profiles');
    const dry = await startOf(dryRun);
    const again = await startOf(dryRun);
    const real = await startOf(realRun);
    const other = await startOf(otherRun);
    assert.deepEqual([again.id, again.attached], [dry.id, true]);
    assert.equal(real.attached, false);
    assert.equal(other.attached, false);
    await harness.consentry.migrations.cancel(real.id);
    gate.open();
    for (const { id } of [dry, real, other]) await harness.consentry.migrations.waitForEnd(id);
  });

  // The last one: the ledger then has two accounts.
  it('is refused without the id of its account if the ledger has several', async () => {
    await noteAccount(harness.ledger.db, 'Other1');
    await assert.rejects(start('asked'), (error: unknown) => {
      assert.ok(error instanceof SettingsError);
      assert.match(
        error.message,
        /2 Klaviyo accounts use this ledger: say which one accounts\.shop of/,
      );
      assert.ok(error.message.includes(`Other1`) && error.message.includes(harness.accountId));
      return true;
    });
  });
});
