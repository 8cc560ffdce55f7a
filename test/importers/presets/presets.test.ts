import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSource } from '../../../src/importers/open-source.js';
import type { PresetName } from '../../../src/importers/presets/names.js';
import { SourceError } from '../../../src/connectors/source-error.js';
import { OPTIONS, inShort, intentOf, withFile } from '../../support/sources.js';
import {
  CLEANED,
  file,
  KLAVIYO_EXPORT,
  KLAVIYO_IMPORT,
  MAILCHIMP,
  OMNISEND,
  SHOPIFY,
  SHOPIFY_OLD,
  type Options,
  type Row,
} from './layouts.js';

async function recognised(columns: readonly string[], options: Options = {}): Promise<string> {
  return withFile(file(columns, {}), async (path) => {
    const source = await openSource(path, { ...OPTIONS, undated: 'subscribe', ...options });
    await source.close();
    return source.preset;
  });
}

describe('the layout of a source', () => {
  const layouts: [string, readonly string[], PresetName][] = [
    ['Mailchimp, subscribed', MAILCHIMP, 'mailchimp-subscribed'],
    [
      'Mailchimp, unsubscribed',
      [...MAILCHIMP, 'UNSUB_TIME', 'UNSUB_REASON'],
      'mailchimp-unsubscribed',
    ],
    ['Mailchimp, cleaned', CLEANED, 'mailchimp-cleaned'],
    ['Shopify', SHOPIFY, 'shopify-customers'],
    ['Shopify, of old', SHOPIFY_OLD, 'shopify-customers'],
    ['Klaviyo, export', KLAVIYO_EXPORT, 'klaviyo-export'],
    ['Klaviyo, import', KLAVIYO_IMPORT, 'klaviyo-import'],
    ['Omnisend', OMNISEND, 'omnisend'],
    ['our own', ['email', 'email_consent'], 'generic'],
  ];
  for (const [name, columns, preset] of layouts) {
    it(`is recognised: ${name}`, async () => {
      assert.equal(await recognised(columns), preset);
      assert.equal(await recognised(columns.map((c) => c.toUpperCase()).reverse()), preset);
      assert.equal(await recognised(columns, { preset }), preset);
    });
  }

  const ambiguous: [readonly string[], string, string][] = [
    [[...MAILCHIMP, 'UNSUB_TIME', 'CLEAN_TIME'], 'mailchimp-unsubscribed', 'mailchimp-cleaned'],
    [[...SHOPIFY, 'email_consent'], 'shopify-customers', 'generic'],
    [[...KLAVIYO_IMPORT, ...OMNISEND], 'klaviyo-import', 'omnisend'],
  ];
  for (const [columns, one, other] of ambiguous) {
    it(`is asked for where it may be ${one} or ${other}`, async () => {
      await assert.rejects(recognised(columns), (error) => {
        assert.ok(error instanceof SourceError);
        assert.equal(error.code, 'layout_ambiguous');
        assert.ok(error.message.includes(`${one} (`) && error.message.includes(`${other} (`));
        assert.match(error.remedy, /--preset/);
        return true;
      });
    });
  }

  it('is the one that the operator names, where more than one fits', async () => {
    const columns = [...SHOPIFY, 'email_consent'];
    assert.equal(await recognised(columns, { preset: 'shopify-customers' }), 'shopify-customers');
    assert.equal(await recognised(columns, { preset: 'generic' }), 'generic');
  });
});

describe('a preset', () => {
  const sources: [string, readonly string[], Row][] = [
    [
      'mailchimp-subscribed',
      [...MAILCHIMP, 'Phone Number'],
      {
        'Email Address': 'a@example.com',
        CONFIRM_TIME: '2021-03-04',
        'Phone Number': '+12015550123',
      },
    ],
    ['shopify-customers', SHOPIFY, { Email: 'a@example.com', Phone: '+12015550123' }],
    ['klaviyo-export', KLAVIYO_EXPORT, { Email: 'a@example.com', 'Phone Number': '+12015550123' }],
    [
      'klaviyo-import',
      KLAVIYO_IMPORT,
      { 'Email Address': 'a@example.com', 'Phone Number': '+12015550123' },
    ],
    ['omnisend', OMNISEND, { Email: 'a@example.com', Phone: '+12015550123' }],
  ];
  for (const [name, columns, row] of sources) {
    it(`asks ${name} for e-mail only unless the run asks for more`, async () => {
      const intent = await intentOf(file(columns, row), { undated: 'subscribe' });
      assert.ok(intent.parts.every(({ channel }) => channel === 'email'));
      assert.equal(intent.phoneNumber, null);
    });

    if (name === 'mailchimp-subscribed') continue;
    it(`asks nothing of ${name} because a number is there`, async () => {
      const options: Options = { undated: 'subscribe', channels: ['email', 'sms'] };
      assert.deepEqual(inShort(await intentOf(file(columns, row), options)), [
        'email nothing_asked',
      ]);
    });
  }
});
