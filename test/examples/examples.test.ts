/** The programs of `examples/`, each run as a script runs it: it imports `consentry` by its name. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startVerbStack, type VerbStack } from '../support/processes/verb-stack.js';
import { endOf, startProgram, type Ended } from '../support/processes/programs.js';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));

const played = new Set<string>();

/** Runs an example to its end, in the environment of this process. */
function play(name: string, ...args: readonly string[]): Promise<Ended> {
  played.add(name);
  return endOf(startProgram(`examples/${name}`, args));
}

describe('the examples, on a worker and a sandbox of their own', { timeout: 240_000 }, () => {
  let stack: VerbStack;
  before(async () => {
    stack = await startVerbStack();
    await stack.sandbox.seed([{ email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' }]);
  });
  after(() => stack.stop());

  const source = (name: string, ...addresses: readonly string[]): Promise<string> =>
    stack.source(name, ['email,email_consent', ...addresses.map((email) => `${email},yes`)]);

  it('check-first says what would be sent, and sends nothing', async () => {
    const file = await source('checked.csv', 'ada@shop.test', 'out@shop.test');
    const { code, stdout, stderr } = await play('check-first', file, 'Single');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^List Single is single_opt_in\.$/m);
    assert.match(stdout, /^Would subscribe 1 by email: confirmed$/m);
    assert.match(stdout, /^Would not send 1 by email: opted_out_before_run$/m);
    assert.equal(await stack.sandbox.subscribedCount(), 0);
  });

  it('start-and-wait starts a run and prints how every row ended', async () => {
    const file = await source('started.csv', 'ada@shop.test', 'out@shop.test', 'no address');
    const { code, stdout, stderr } = await play('start-and-wait', file, 'Single');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Migration \S+ of 3 rows has started\.$/m);
    assert.match(stdout, /^email: 1 confirmed$/m);
    assert.match(stdout, /^email: 1 skipped_opted_out, opted_out_before_run$/m);
    assert.match(stdout, /^Line 4, email: email_invalid$/m);
  });

  it('start-and-wait says why a run stopped', async () => {
    const file = await source('stopped.csv', 'ada@shop.test');
    const { code, stderr } = await play('start-and-wait', file, 'Double');
    assert.equal(code, 1);
    assert.match(stderr, /double/);
  });

  for (const [most, does, phase] of [
    ['1', 'cancels a run that is larger than expected', 'cancelled'],
    ['2', 'approves one that is not', 'done'],
  ] as const) {
    it(`approve-or-cancel ${does}`, async () => {
      const before = await stack.sandbox.subscribedCount();
      const file = await source(`at-most-${most}.csv`, 'ben@shop.test', 'cai@shop.test');
      const { code, stdout, stderr } = await play('approve-or-cancel', file, 'Single', most);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^Migration \S+ would subscribe 2\.$/m);
      assert.match(stdout, new RegExp(`^It has ended: ${phase}\\.$`, 'm'));
      const sent = (await stack.sandbox.subscribedCount()) - before;
      assert.equal(sent, phase === 'done' ? 2 : 0);
    });
  }

  it('show-person tells what was done, and what Klaviyo holds', async () => {
    const [ada, nobody] = await Promise.all([
      play('show-person', 'Ada@shop.test'),
      play('show-person', 'nobody@shop.test'),
    ]);
    assert.deepEqual([ada.code, ada.stderr], [0, '']);
    assert.match(ada.stdout, /checked\.csv, line 2: subscribe email: dry_run$/m);
    assert.match(ada.stdout, /started\.csv, line 2: subscribe email: confirmed$/m);
    assert.match(ada.stdout, /^Profile \S+: email SUBSCRIBED since \d{4}-/m);
    assert.match(nobody.stdout, /^Klaviyo had no profile at /);
  });

  it('are all played', () => {
    const programs = readdirSync(FOLDER).flatMap((file) =>
      file.endsWith(`.${EXTENSION}`) ? [file.slice(0, -EXTENSION.length - 1)] : [],
    );
    assert.deepEqual(programs.sort(), [...played].sort());
  });
});
