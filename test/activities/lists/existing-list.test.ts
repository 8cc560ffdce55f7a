import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { existingList } from '../../../src/activities/lists/existing-list.js';
import type { ListInfo } from '../../../src/klaviyo/index.js';

const ASKED = { name: 'Readers', optInProcess: 'double_opt_in' } as const;

function list(id: string, name: string, optInProcess: ListInfo['optInProcess']): ListInfo {
  return { id, name, optInProcess };
}

describe('whether a list has to be created', () => {
  it('a list of exactly this name and process is there', () => {
    const there = list('A1', 'Readers', 'double_opt_in');
    assert.deepEqual(existingList(ASKED, null, [there]), { is: 'there', list: there });
  });

  it('a list that Klaviyo takes for equal is not it', () => {
    const other = list('A1', 'Readers Club', 'double_opt_in');
    assert.deepEqual(existingList(ASKED, null, [other]), { is: 'absent' });
  });

  it('a name with other capitals does not hide the list', () => {
    const other = list('A1', 'readers', 'double_opt_in');
    const there = list('A2', 'Readers', 'double_opt_in');
    assert.deepEqual(existingList(ASKED, null, [other, there]), { is: 'there', list: there });
  });

  for (const [what, byId, listed, type, why] of [
    [
      'another process',
      null,
      [list('A1', 'Readers', 'single_opt_in')],
      'OptInProcessUnexpected',
      /A1.*single_opt_in, not double_opt_in/,
    ],
    [
      'a process that Klaviyo does not say',
      null,
      [list('A1', 'Readers', null)],
      'OptInProcessUnexpected',
      /does not say/,
    ],
    [
      'several lists, although one has the process',
      null,
      [list('A1', 'Readers', 'double_opt_in'), list('A2', 'Readers', 'single_opt_in')],
      'SettingsInvalid',
      /A1, A2/,
    ],
    [
      'a name with other capitals',
      null,
      [list('A1', 'readers', 'double_opt_in')],
      'SettingsInvalid',
      /"readers" \(A1\).*only in capitals/,
    ],
    [
      'the id of another list',
      list('Readers', 'Others', 'double_opt_in'),
      [],
      'SettingsInvalid',
      /id of the list "Others"/,
    ],
  ] as const) {
    it(`${what} is refused`, () => {
      const existing = existingList(ASKED, byId, listed);
      assert.ok(existing.is === 'refused');
      assert.equal(existing.type, type);
      assert.match(existing.why, why);
    });
  }
});
