import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPhone } from '../../../src/importers/values/phone.js';

describe('readPhone', () => {
  const valid: [string, string, string | null, string, string][] = [
    ['+12015550123', '', null, '+12015550123', 'US'],
    [' (201) 555-0123 ', 'US', null, '+12015550123', 'US'],
    ["'+12015550123", '', null, '+12015550123', 'US'],
    ['tel:+1-201-555-0123', '', null, '+12015550123', 'US'],
    ['TEL: 201 555 0123', 'US', null, '+12015550123', 'US'],
    ['p:+12015550123', '', null, '+12015550123', 'US'],
    ["'p:+12015550123", '', null, '+12015550123', 'US'],
    ['＋１（２０１）５５５－０１２３', '', null, '+12015550123', 'US'],
    ['２０１　５５５　０１２３', 'US', null, '+12015550123', 'US'],
    ['201.555.0123', '', 'US', '+12015550123', 'US'],
    ['416 555 0123', 'us', null, '+14165550123', 'CA'],
    ['0491 570 006', 'AU', 'US', '+61491570006', 'AU'],
    ['+61491570006', 'US', 'US', '+61491570006', 'AU'],
    ['07400 123456', 'UK', null, '+447400123456', 'GB'],
    ['+17875550123', '', null, '+17875550123', 'PR'],
  ];
  for (const [raw, country, fallback, phoneNumber, of] of valid) {
    it(`reads "${raw}" of "${country}" with default ${String(fallback)}`, () => {
      assert.deepEqual(readPhone(raw, country, fallback), {
        kind: 'valid',
        phoneNumber,
        country: of,
      });
    });
  }

  const refused: [string, string, string | null, string][] = [
    ['1.20156E+10', 'US', null, 'phone_scientific_notation'],
    ['1,20156e10', 'US', null, 'phone_scientific_notation'],
    ['4.47911E+11', '', null, 'phone_scientific_notation'],
    ['201 555 0123', '', null, 'phone_country_unknown'],
    ['201 555 0123', 'Germany', 'US', 'phone_country_unknown'],
    ['+1 201 555 0123 ext. 5', '', null, 'phone_invalid'],
    ['+1 555 123 4567', '', null, 'phone_invalid'],
    ['00447400123456', 'US', null, 'phone_invalid'],
    ['call 201 555 0123', 'US', null, 'phone_invalid'],
    ['n/a', 'US', null, 'phone_invalid'],
    ['n/a', '', null, 'phone_invalid'],
    ['123', 'US', null, 'phone_invalid'],
    ['tel:', 'US', null, 'phone_invalid'],
    ['tel:0123;phone-context=+1201555', '', null, 'phone_invalid'],
    ['tel:+12015550123;ext=5', '', null, 'phone_invalid'],
    ['l:+12015550123', '', null, 'phone_invalid'],
    ['１.２０１５６Ｅ＋１０', 'US', null, 'phone_scientific_notation'],
    ['２０１ ５５５ ０１２３', '', null, 'phone_country_unknown'],
    ['+18005550199', '', null, 'phone_type_not_textable'],
    ['+19005550123', '', null, 'phone_type_not_textable'],
    ['+15005550006', '', null, 'phone_type_not_textable'],
  ];
  for (const [raw, country, fallback, reason] of refused) {
    it(`refuses "${raw}" of "${country}" with default ${String(fallback)}: ${reason}`, () => {
      assert.deepEqual(readPhone(raw, country, fallback), { kind: 'refused', reason });
    });
  }

  const landlines: [string, string, string, string][] = [
    ['+61 3 5550 1234', '', '+61355501234', 'AU'],
    ['020 7946 0123', 'GB', '+442079460123', 'GB'],
  ];
  for (const [raw, country, phoneNumber, of] of landlines) {
    it(`tells that "${raw}" of "${country}" is a landline`, () => {
      assert.deepEqual(readPhone(raw, country, null), {
        kind: 'landline',
        phoneNumber,
        country: of,
      });
    });
  }

  it('finds nothing in blanks', () => {
    for (const raw of ['', ' ', "'"]) {
      assert.deepEqual(readPhone(raw, 'US', 'US'), { kind: 'missing' });
    }
  });
});
