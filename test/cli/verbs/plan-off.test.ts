import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import type { AppliedChange } from '../../../src/cli/run/applied-change.js';
import type { PlannedOff } from '../../../src/cli/run/plan-changes.js';
import { run, runTyping } from '../terminal.js';
import { inShop } from './shop.js';

/** Known to nobody else on this Temporal server. */
const ACCOUNT = `O${process.pid}`;

interface Planned {
  readonly program: string;
  readonly change: string;
  readonly keys: readonly string[];
  readonly off: PlannedOff | null;
  readonly failure: string | null;
}

describe('plan and apply of a program that is switched off', { timeout: 240_000 }, () => {
  const shop = inShop(ACCOUNT);
  before(async () => {
    await shop.people('club', 'in', 'ada', 'bob', 'eve');
    await shop.people('news', 'eve');
  });

  async function file(...club: string[]): Promise<void> {
    const line = (name: string, ...more: string[]) =>
      `  ${name}: { ${['account: shop', `source: { file: ${name}.csv }`, 'list: Newsletter', 'opt_in: single', ...more].join(', ')} }`;
    const head = ['version: 1', 'accounts: { shop: {} }', 'programs:'];
    await writeFile(
      'consentry.yaml',
      [...head, line('club', ...club), line('news'), ''].join('\n'),
    );
  }

  async function plan(): Promise<{ code: number; programs: Planned[] }> {
    const { code, stdout, stderr } = await run('plan', '--check', '--json');
    assert.ok(stdout !== '', stderr);
    return { code, programs: (JSON.parse(stdout) as { programs: Planned[] }).programs };
  }

  async function apply(): Promise<AppliedChange[]> {
    const { code, stdout, stderr } = await run('apply', '--yes', '--json');
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { programs: AppliedChange[] }).programs;
  }

  const consentOf = (who: string): string | undefined =>
    shop.sandbox.account.truthFor({ email: `${who}@shop.test` })?.subscriptions.email.marketing
      .consent;
  const consents = (): (string | undefined)[] => ['in', 'ada', 'bob', 'eve'].map(consentOf);
  const GIVEN = 'off: { people: unsubscribe_given }';

  it('without off nobody is unsubscribed, and it can be said later', async () => {
    await file();
    assert.deepEqual(
      (await apply()).map(({ status, off }) => [status, off]),
      [
        ['done', null],
        ['done', null],
      ],
    );
    await file('enabled: false');
    const [club] = (await plan()).programs;
    assert.deepEqual([club?.change, club?.off], ['switched_off', null]);
    const [recorded] = await apply();
    assert.deepEqual([recorded?.status, recorded?.off], ['recorded', null]);
    assert.equal((await plan()).code, 0);
    assert.deepEqual(consents(), Array(4).fill('SUBSCRIBED'));
  });

  it('plan says whom it would unsubscribe, whom not and why, and that it cannot be taken back', async () => {
    await file('enabled: false', GIVEN);
    const { code, programs } = await plan();
    assert.equal(code, 8);
    const [club] = programs;
    assert.ok(club?.off !== null && club?.off !== undefined);
    assert.deepEqual([club.change, club.keys, club.failure], ['switched_off', ['off'], null]);
    const { people: whom, channels, unsubscribes, leaves } = club.off;
    assert.deepEqual([whom, channels], ['unsubscribe_given', ['email']]);
    assert.deepEqual(unsubscribes, [{ channel: 'email', parts: 2 }]);
    assert.deepEqual(
      leaves.map(({ reason, parts }) => [reason, parts]),
      [['asked_for_elsewhere', 1]],
    );
    const words = await run('plan');
    assert.match(words.stdout, /^club .*switched off +unsubscribe 2 \(email\)/m);
    assert.match(words.stdout, /^email +UNSUBSCRIBED +2$/m);
    assert.match(
      words.stdout,
      /^email +left alone: another program or run asks for the same consent +1$/m,
    );
    assert.match(words.stdout, /WARNING: this cannot be taken back.*switched on again/);
    assert.deepEqual(consents(), Array(4).fill('SUBSCRIBED'));
  });

  it('apply asks, does it, and does it once', async () => {
    const no = await runTyping([[/Apply this\?/, 'n\n']], 'apply');
    assert.equal(no.code, 5, no.stderr);
    assert.deepEqual(consents(), Array(4).fill('SUBSCRIBED'));
    const [club] = await apply();
    assert.deepEqual([club?.status, club?.off?.status], ['done', 'done']);
    assert.deepEqual(club?.off?.report?.outcomes, { confirmed: 2, rejected: 1 });
    assert.equal(club?.off?.report?.program, 'club');
    assert.deepEqual(consents(), ['SUBSCRIBED', 'UNSUBSCRIBED', 'UNSUBSCRIBED', 'SUBSCRIBED']);
    assert.equal((await plan()).code, 0);
    assert.deepEqual(
      (await apply()).map(({ status }) => status),
      ['unchanged', 'unchanged'],
    );
  });

  it('more can be asked later: all of its contacts, also whom others ask for', async () => {
    await file('enabled: false', 'off: { people: unsubscribe_all }');
    const words = await run('plan');
    assert.match(words.stdout, /^email +UNSUBSCRIBED +2$/m);
    assert.match(words.stdout, /Other programs ask 1 of them for email too/);
    const [club] = await apply();
    assert.deepEqual(club?.off?.report?.outcomes, { confirmed: 4 });
    assert.deepEqual(consents(), Array(4).fill('UNSUBSCRIBED'));
    assert.equal((await plan()).code, 0);
  });

  it('switched on again, it subscribes none of them', async () => {
    await file();
    const [club] = await apply();
    assert.deepEqual(club?.report?.outcomes, { skipped_opted_out: 4 });
    assert.deepEqual(consents(), Array(4).fill('UNSUBSCRIBED'));
  });

  it('what is not known there is named with its place', async () => {
    await file('off: { people: everybody }');
    const { code, stderr } = await run('plan');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /programs\.club\.off\.people is 'everybody'. Give nothing, unsubscribe_given or unsubscribe_all\./,
    );
  });
});
