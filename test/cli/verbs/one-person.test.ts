import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run, runTyping } from '../terminal.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';

const LONG_AGO = '2024-01-02T03:04:05Z';
const PHONE = '+12015550170';

describe('verbs about one person', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  before(async () => {
    stack = await startVerbStack();
    await stack.sandbox.seed([
      { email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' },
      { email: 'in@shop.test', email_consent: 'SUBSCRIBED', lists: ['Single'] },
      { email: 'no@shop.test', email_consent: 'SUBSCRIBED' },
      {
        email: 'held@shop.test',
        email_consent: 'SUBSCRIBED',
        suppressions: ['USER_SUPPRESSED'],
        consent_timestamp: LONG_AGO,
      },
      { phone_number: PHONE, sms_consent: 'SUBSCRIBED', sms_transactional_consent: 'SUBSCRIBED' },
    ]);
  });
  after(() => stack.stop());

  const profileOf = async (who: string) =>
    (await stack.sandbox.truth()).find(
      ({ email, phone_number }) => email === who || phone_number === who,
    );
  const consentOf = async (who: string) =>
    (await profileOf(who))?.subscriptions.email.marketing.consent;

  it('says in a sentence what it does, asks, sends, and shows what was read back', async () => {
    const { code, stdout, stderr } = await runTyping(
      [[/Send it\? \[y\/N\]/, 'y\r']],
      ...['subscribe', 'Ada@shop.test', '--list', 'Single', '--reason', 'asked by phone'],
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^ada@shop\.test is subscribed to e-mail and added to the list Single\.$/m,
    );
    assert.match(stdout, /^e-mail: confirmed, read back as SUBSCRIBED, \d{4}-/m);
    assert.equal(await consentOf('ada@shop.test'), 'SUBSCRIBED');
    const shown = await run('show', 'ada@shop.test');
    assert.match(
      shown.stdout,
      /one person \(generic\), list Single, custom source "asked by phone"/,
    );
  });

  it('sends nothing without a yes', async () => {
    const { code, stdout } = await runTyping(
      [[/Send it\?/, 'n\r']],
      ...['unsubscribe', 'no@shop.test'],
    );
    assert.equal(code, 5);
    assert.match(stdout, /^no@shop\.test is unsubscribed from all e-mail\.$/m);
    assert.match(stdout, /^e-mail: cancelled/m);
    assert.equal(await consentOf('no@shop.test'), 'SUBSCRIBED');
  });

  it('does not ask where nothing is to be sent, and says why', async () => {
    const { code, stdout } = await runTyping(
      [[/Send it\?/, 'y\r']],
      ...['subscribe', 'out@shop.test', '--list', 'Single'],
    );
    assert.equal(code, 0);
    assert.match(stdout, /^Nothing is sent for out@shop\.test: e-mail opted_out_before_run\.$/m);
    assert.match(stdout, /^e-mail: skipped_opted_out \(opted_out_before_run\)/m);
    assert.equal(await consentOf('out@shop.test'), 'UNSUBSCRIBED');
  });

  for (const [argv, sentence, ended] of [
    [
      ['unsubscribe', 'in@shop.test', '--list', 'Single', '--from', 'list'],
      /is unsubscribed from the list Single alone\./,
      'confirmed',
    ],
    [
      ['add-to-list', 'in@shop.test', '--list', 'Double'],
      /is added to the list Double/,
      'list_only',
    ],
    [
      ['remove-from-list', 'in@shop.test', '--list', 'Double'],
      /is removed from the list Double; their consent stays/,
      'confirmed',
    ],
    [
      ['unsuppress', 'held@shop.test'],
      /is no longer suppressed by hand.*\. They can be mailed again after that\./,
      'confirmed',
    ],
    [
      ['suppress', 'held@shop.test', '--floor', 'unsubscribe'],
      /is suppressed: no mail/,
      'confirmed',
    ],
    [
      ['unsubscribe', '(201) 555-0170', '--country', 'US'],
      /is unsubscribed from all texts\. Klaviyo opts them out of both kinds of texts/,
      'confirmed',
    ],
  ] as const) {
    it(`${argv.join(' ')} is read back`, async () => {
      const { code, stdout, stderr } = await run(...argv, '--yes', '--json');
      assert.equal(code, 0, stderr);
      assert.match(stderr, sentence);
      const { parts } = JSON.parse(stdout) as { parts: { outcome: string; reason: null }[] };
      assert.ok(parts.length > 0);
      for (const { outcome, reason } of parts) assert.deepEqual([outcome, reason], [ended, null]);
    });
  }

  it('leaves what was not asked for as it is', async () => {
    assert.equal(await consentOf('in@shop.test'), 'SUBSCRIBED');
    const texts = (await profileOf(PHONE))?.subscriptions.sms;
    assert.deepEqual(
      [texts?.marketing.consent, texts?.transactional.consent],
      ['UNSUBSCRIBED', 'UNSUBSCRIBED'],
    );
  });

  for (const [argv, message] of [
    [['suppress', PHONE, '--yes'], /Only an e-mail address can be suppressed/],
    [['add-to-list', 'a@shop.test', '--yes'], /are about a list: give/],
    [['unsubscribe', 'a@shop.test', '--from', 'list', '--yes'], /needs a list/],
    [
      ['subscribe', 'a@shop.test', '--channels', 'sms', '--yes'],
      /Consent to sms belongs to a phone number/,
    ],
    [['subscribe', 'a@shop.test'], /no terminal to ask at: add --yes/],
    [['suppress', 'nobody', '--yes'], /neither an e-mail address nor a valid phone number/],
  ] as const) {
    it(`${argv.join(' ')} is refused with a remedy`, async () => {
      const { code, stderr } = await run(...argv);
      assert.equal(code, 2);
      assert.match(stderr, message);
    });
  }
});
