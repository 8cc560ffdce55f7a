import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppliedProgram } from '../../../src/ledger/index.js';
import { changesOf } from '../../../src/starter/programs/apply/changes.js';
import { stateOf } from '../../../src/starter/programs/apply/state.js';
import { parseFile } from '../../../src/starter/programs/file/parse.js';
import { programsOf } from '../../../src/starter/programs/program.js';

function stateOfFile(settings: string) {
  const text = `version: 1\naccounts: { shop: {} }\nprograms:\n  news: { account: shop, ${settings} }\n`;
  const [program] = programsOf(parseFile(text, 'consentry.yaml').settings);
  assert.ok(program !== undefined);
  return { name: program.name, ...stateOf(program) };
}

const LIST = 'source: { file: people.csv, country: US }, list: News';
const MAIL = `${LIST}, channels: [email]`;
const BOTH = `${LIST}, channels: [email, sms]`;

function applied(settings: string, phase: AppliedProgram['phase'] = 'done'): AppliedProgram {
  const { name, settings: stored, hash } = stateOfFile(settings);
  // As PostgreSQL gives it back: with keys in another order.
  const reversed = Object.fromEntries(Object.entries(stored).reverse());
  return { program: name, settings: reversed, hash, migrationId: 'm1', phase };
}

describe('what a changed file changes', () => {
  for (const [what, now, before, change, keys, runs, running = null] of [
    ['a new program', MAIL, null, 'new', [], true],
    ['a new program without channels', `${LIST}, channels: []`, null, 'none', [], false],
    ['nothing', MAIL, applied(MAIL), 'none', [], false],
    [
      'keys in another order',
      'channels: [email], list: News, source: { country: US, file: people.csv }',
      applied(MAIL),
      'none',
      [],
      false,
    ],
    ['a default that is written down', LIST, applied(MAIL), 'none', [], false],
    [
      'channels in another order',
      `${LIST}, channels: [sms, email]`,
      applied(BOTH),
      'none',
      [],
      false,
    ],
    [
      'another list',
      `${LIST.replace('News', 'Club')}, channels: [email]`,
      applied(MAIL),
      'changed',
      ['list'],
      true,
    ],
    ['one channel more', BOTH, applied(MAIL), 'changed', ['channels'], true],
    ['one channel less', MAIL, applied(BOTH), 'changed', ['channels'], false],
    [
      'one channel less, and the run before did not end',
      MAIL,
      applied(BOTH, 'failed'),
      'changed',
      ['channels'],
      true,
    ],
    [
      'one channel instead of another',
      `${LIST}, channels: [sms]`,
      applied(MAIL),
      'changed',
      ['channels'],
      true,
    ],
    [
      'one channel less, and another list',
      `${MAIL.replace('News', 'Club')}`,
      applied(BOTH),
      'changed',
      ['channels', 'list'],
      true,
    ],
    [
      'no channel any more',
      `${LIST}, channels: []`,
      applied(MAIL),
      'switched_off',
      ['channels'],
      false,
    ],
    [
      'enabled: false',
      `${MAIL}, enabled: false`,
      applied(MAIL),
      'switched_off',
      ['channels'],
      false,
    ],
    [
      'enabled again',
      `${MAIL}, enabled: true`,
      applied(`${MAIL}, enabled: false`),
      'switched_on',
      ['channels'],
      true,
    ],
    ['a run that failed', MAIL, applied(MAIL, 'failed'), 'unfinished', [], true],
    ['a run that was cancelled', MAIL, applied(MAIL, 'cancelled'), 'unfinished', [], true],
    ['a run that goes on', MAIL, applied(MAIL, 'settle'), 'running', [], false],
    ['a run that waits for approval', MAIL, applied(MAIL, 'approval'), 'running', [], false],
    ['a run that was deleted with its people', MAIL, applied(MAIL, null), 'none', [], false],
    [
      'another list while the run goes on',
      `${MAIL.replace('News', 'Club')}`,
      applied(MAIL, 'submit'),
      'changed',
      ['list'],
      true,
      'm1',
    ],
    [
      'enabled: false while the run goes on',
      `${MAIL}, enabled: false`,
      applied(MAIL, 'submit'),
      'switched_off',
      ['channels'],
      false,
      'm1',
    ],
  ] as const) {
    it(what, () => {
      const [found, ...others] = changesOf([stateOfFile(now)], before === null ? [] : [before]);
      assert.deepEqual(others, []);
      assert.ok(found !== undefined);
      const sorted = { ...found, keys: [...found.keys].sort() };
      assert.deepEqual(sorted, { program: 'news', change, keys, runs, running });
    });
  }

  it('a program that the file no longer has is removed, and nothing is sent for it', () => {
    assert.deepEqual(changesOf([], [applied(MAIL)]), [
      { program: 'news', change: 'removed', keys: [], runs: false, running: null },
    ]);
  });
});
