import assert from 'node:assert/strict';
import { it } from 'node:test';
import { positive, share, wholeNumber } from '../src/command/flags.js';

const refused = /Give a/;

it('reads whole numbers within their bounds', () => {
  assert.equal(wholeNumber(0, 10)('10'), 10);
  for (const text of ['11', '-1', '1.5', 'x', '']) {
    assert.throws(() => wholeNumber(0, 10)(text), refused, text);
  }
});

it('reads shares and factors', () => {
  assert.equal(share('0.25'), 0.25);
  assert.equal(positive('12.5'), 12.5);
  for (const text of ['1.1', '-0.1', '', 'half']) assert.throws(() => share(text), refused);
  for (const text of ['0', '-1', '', 'fast', 'Infinity']) {
    assert.throws(() => positive(text), refused);
  }
});
