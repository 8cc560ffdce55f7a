import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, storableText } from '../../../src/consent/record/canonical.js';
import { microseconds } from '../../../src/consent/record/timestamps.js';

describe('values in one form', () => {
  it('are JSON with the same text for the same value, whatever the order of its keys', () => {
    assert.equal(
      canonicalJson([{ b: 1, a: { d: null, c: 'é' } }]),
      '[{"a":{"c":"é","d":null},"b":1}]',
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(canonicalJson(turned), canonicalJson(value));
        assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('are texts that a database can hold', () => {
    assert.equal(
      storableText('a\0b\uD800\uDC00c\uD800d\uDC00'),
      'a\uFFFDb\uD800\uDC00c\uFFFDd\uFFFD',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const stored = storableText(text);
        assert.equal(Buffer.from(stored).toString(), stored);
        assert.ok(!stored.includes('\0'));
        assert.equal(storableText(stored), stored);
      }),
    );
  });

  it('are times in UTC with every microsecond', () => {
    const times: [string, string][] = [
      ['2026-01-02T03:04:05.000006Z', '2026-01-02T03:04:05.000006Z'],
      ['2026-01-02T03:04:05.000006+00:00', '2026-01-02T03:04:05.000006Z'],
      ['2026-01-02T03:04:05.1234567+05:45', '2026-01-01T21:19:05.123456Z'],
      ['2026-01-02T03:04:05-10:00', '2026-01-02T13:04:05.000000Z'],
      ['2026-01-02T03:04:05.5Z', '2026-01-02T03:04:05.500000Z'],
      ['2026-01-02T03:04:05.000006', '2026-01-02T03:04:05.000006Z'],
      ['2026-01-02T03:04', '2026-01-02T03:04:00.000000Z'],
      ['2026-01-02', '2026-01-02T00:00:00.000000Z'],
      ['2025-12-31T23:59:59.999999Z', '2025-12-31T23:59:59.999999Z'],
    ];
    for (const [sent, kept] of times) assert.equal(microseconds(sent), kept);
    assert.throws(() => microseconds('soon'), RangeError);
  });
});
