import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDuration, wholeNumber } from '../../src/cli/arguments.js';
import { settingReader } from '../../src/cli/request-flags.js';

const channelsOf = settingReader('channels');
const countriesOf = settingReader('smsCountries');
const countryOf = settingReader('country');

const refused = /InvalidArgumentError|Give|Known/;

describe('flags', () => {
  for (const [text, ms] of [
    ['90s', 90_000],
    ['15m', 900_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    // 513.281 * 1,000 is a little less in binary.
    ['513.281s', 513_281],
  ] as const) {
    it(`reads ${text} as ${ms} milliseconds`, () => assert.equal(parseDuration(text), ms));
  }
  for (const text of ['', '15', '15 minutes', '-1m', '0s', 'm']) {
    it(`refuses the time "${text}"`, () => assert.throws(() => parseDuration(text), refused));
  }

  for (const [text, channels] of [
    ['email', ['email']],
    ['sms,email', ['email', 'sms']],
    [' sms ', ['sms']],
    ['sms,sms', ['sms']],
  ] as const) {
    it(`reads the channels "${text}"`, () => assert.deepEqual(channelsOf(text), channels));
  }
  for (const text of ['', 'letter', 'email,letter', 'list']) {
    it(`refuses the channels "${text}"`, () => assert.throws(() => channelsOf(text), refused));
  }

  it('reads countries in any case and refuses what is none', () => {
    assert.deepEqual(countriesOf('us, CA'), ['US', 'CA']);
    assert.equal(countryOf('gb'), 'GB');
    assert.throws(() => countriesOf('USA'), refused);
    assert.throws(() => countryOf('US,CA'), refused);
    assert.throws(() => countriesOf(''), refused);
  });

  it('reads whole numbers within their bounds', () => {
    assert.equal(wholeNumber(0, 10)('10'), 10);
    for (const text of ['11', '-1', '1.5', 'x', '']) {
      assert.throws(() => wholeNumber(0, 10)(text), refused, text);
    }
  });
});
