import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readEmail } from '../../../src/importers/values/email.js';

describe('readEmail', () => {
  const valid: [string, string][] = [
    ['ada@example.com', 'ada@example.com'],
    ['  ADA@Example.COM\t', 'ada@example.com'],
    ["'ada@example.com", 'ada@example.com'],
    ['\u200Bada@example.com\u00A0', 'ada@example.com'],
    ["o'hara+news@mail.example.co.test", "o'hara+news@mail.example.co.test"],
    ['a@b.xn--p1ai', 'a@b.xn--p1ai'],
    ['mailto:Ada@example.com', 'ada@example.com'],
    ['Ada Lovelace <ADA@example.com>', 'ada@example.com'],
    ['"Lovelace, Ada" <ada@example.com>', 'ada@example.com'],
    ['<ada@example.com>', 'ada@example.com'],
    ["'Ada' <'ada@example.com >", 'ada@example.com'],
    ['ada@example.com<mailto:ada@example.com>', 'ada@example.com'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ];
  for (const [raw, email] of valid) {
    it(`takes ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(readEmail(raw), { kind: 'valid', email });
    });
  }

  const invalid = [
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@@example.com',
    'ada@example..com',
    'ada@.example.com',
    'ada@example.com.',
    '.ada@example.com',
    'ada.@example.com',
    'a..da@example.com',
    'ada lovelace@example.com',
    'ada@exam ple.com',
    'ada@-example.com',
    'ada@example.c',
    'ada@127.0.0.1',
    'ada@example.com, bob@example.com',
    '"ada"@example.com',
    // Whose row is it?
    'bob@example.com <ada@example.com>',
    'Ada <ada@example.com>, Bob <bob@example.com>',
    'Ada <ada@example.com',
    'Ada ada@example.com>',
    'Ada <Ada>',
    'mailto:ada%2Bnews@example.com',
    'mailto:ada@example.com?subject=x',
    'mailto:',
    'mailto:mailto:ada@example.com',
    'ädä@example.com',
    'ada@exämple.com',
    // A Kelvin sign, which becomes a k in lower case: somebody else's address.
    '\u212Aate@example.com',
    'ada@example.\u212Ar',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b.'.repeat(130)}com`,
    'ada\0@example.com',
  ];
  for (const raw of invalid) {
    it(`refuses ${JSON.stringify(raw).slice(0, 60)}`, () => {
      assert.deepEqual(readEmail(raw), { kind: 'invalid' });
    });
  }

  it('finds nothing in blanks', () => {
    for (const raw of ['', '  ', "'", '\u200B'])
      assert.deepEqual(readEmail(raw), { kind: 'missing' });
  });

  it('reads its own result as the same', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.constantFrom('', ' ', "'", '\t'), (address, before) => {
        const once = readEmail(before + address.toUpperCase());
        if (once.kind === 'valid') assert.deepEqual(readEmail(once.email), once);
        else assert.ok(address.startsWith("'") || address.length > 254, address);
      }),
    );
  });
});
