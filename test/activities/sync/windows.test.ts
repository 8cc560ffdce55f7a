import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  afterPage,
  firstPage,
  nextPage,
  profilesLeft,
  split,
  timeLeft,
  wholeWindow,
  type Window,
} from '../../../src/activities/sync/windows.js';

const END = '2026-01-11T00:00:00.000Z';
const DAY_MS = 86_400_000;

function page(window: Window, first: string, last: string, profiles = 100): Window | null {
  return afterPage(window, nextPage(window), { first, last, next: 'NEXT', profiles });
}

describe('windows of an account', () => {
  const begun = page(wholeWindow(END), '2026-01-01T00:00:00+00:00', '2026-01-01T02:00:00+00:00');
  assert.ok(begun !== null);

  test('the first page says when the account begins', () => {
    assert.equal(begun.after, '2025-12-31T23:59:59.000Z');
    assert.equal(begun.position, '2026-01-01T02:00:00+00:00');
  });

  test('what is left is estimated from what was read', () => {
    assert.equal(profilesLeft([wholeWindow(END)]), null);
    const left = profilesLeft([begun]) ?? 0;
    // 100 profiles in two hours, and ten days to go.
    assert.ok(Math.abs(left - 11_900) < 20, `${left}`);
  });

  test('the later half goes to somebody else, and the halves overlap', () => {
    const found = split([begun]);
    assert.ok(found !== null);
    const [first, second] = found.halves;
    assert.equal(first.position, begun.position);
    assert.equal(second.before, END);
    assert.equal(Date.parse(first.before) - Date.parse(second.after ?? ''), 1_000);
    assert.ok(Math.abs(timeLeft(first) - timeLeft(second)) < 2_000);
  });

  test('what is nearly empty is not split', () => {
    const sparse = page(wholeWindow(END), '2026-01-01T00:00:00Z', '2026-01-09T00:00:00Z');
    assert.ok(sparse !== null);
    assert.equal(split([sparse]), null);
    assert.equal(split([wholeWindow(END)]), null);
  });

  test('a page that reaches the end of a window ends it, also one that was split meanwhile', () => {
    const [first] = split([begun])?.halves ?? [];
    assert.ok(first !== undefined);
    assert.equal(page(first, '2026-01-05T00:00:00Z', first.before), null);
    assert.notEqual(page(begun, '2026-01-05T00:00:00Z', first.before), null);
    const last = { first: null, last: null, next: null, profiles: 3 };
    assert.equal(afterPage(begun, nextPage(begun), last), null);
  });

  test('a cursor keeps the filter that it came from', () => {
    const [first] = split([begun])?.halves ?? [];
    assert.ok(first !== undefined);
    assert.deepEqual(nextPage(first), { after: null, before: END, cursor: 'NEXT' });
    assert.deepEqual(firstPage(first), {
      after: '2026-01-01T01:59:59.000Z',
      before: first.before,
      cursor: null,
    });
  });

  test('many windows are split by how many profiles each has left', () => {
    const dense = {
      ...begun,
      after: '2026-01-10T00:00:00Z',
      position: '2026-01-10T00:10:00Z',
      read: 100_000,
    };
    assert.equal(split([begun, dense])?.window, dense);
    assert.ok(DAY_MS > timeLeft(dense));
  });
});
