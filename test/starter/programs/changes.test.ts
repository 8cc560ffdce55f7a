import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OffPeople } from '../../../src/contracts/programs.js';
import type { AppliedProgram } from '../../../src/ledger/index.js';
import { changesOf } from '../../../src/starter/programs/apply/changes.js';
import { stateOf } from '../../../src/starter/programs/apply/state.js';
import { parseFile } from '../../../src/starter/programs/file/parse.js';
import { programsOf } from '../../../src/starter/programs/program.js';

function stateOfFile(settings: string) {
  const text = `version: 1\naccounts: { shop: {} }\nprograms:\n  news: { account: shop, ${settings} }\n`;
  const [program] = programsOf(parseFile(text, 'consentry.yaml').settings);
  assert.ok(program !== undefined);
  return { name: program.name, off: program.off, ...stateOf(program) };
}

const NOBODY = { off: null, offRunning: null };
const LIST = 'source: { file: people.csv, country: US }, list: News';
const MAIL = `${LIST}, channels: [email]`;
const BOTH = `${LIST}, channels: [email, sms]`;

function applied(
  settings: string,
  phase: AppliedProgram['phase'] = 'done',
  off: AppliedProgram['off'] = [],
): AppliedProgram {
  const { name, settings: stored, hash } = stateOfFile(settings);
  // As PostgreSQL gives it back: with keys in another order.
  const reversed = Object.fromEntries(Object.entries(stored).reverse());
  return { program: name, settings: reversed, hash, migrationId: 'm1', phase, off };
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
      assert.deepEqual(sorted, { program: 'news', change, keys, runs, running, ...NOBODY });
    });
  }

  it('a program that the file no longer has is removed, and nothing is sent for it', () => {
    assert.deepEqual(changesOf([], [applied(MAIL)]), [
      { program: 'news', change: 'removed', keys: [], runs: false, running: null, ...NOBODY },
    ]);
  });

  const GIVEN = 'off: { people: unsubscribe_given }';
  const ALL = 'off: { people: unsubscribe_all }';
  const done = (
    people: OffPeople,
    phase: AppliedProgram['phase'] = 'done',
  ): AppliedProgram['off'][number] => ({ channel: 'sms', people, migrationId: 'o1', phase });
  const NOW_MAIL = `${MAIL}, ${GIVEN}`;
  for (const [what, now, before, change, keys, off, running = null, offRunning = null] of [
    ['a channel is taken out', MAIL, applied(BOTH), 'changed', 'channels', null],
    ['and its people are to go', NOW_MAIL, applied(BOTH), 'changed', 'channels', GIVEN],
    ['all of them', `${MAIL}, ${ALL}`, applied(BOTH), 'changed', 'channels', ALL],
    ['the first time', `${MAIL}, ${GIVEN}`, null, 'new', '', null],
    [
      'and they went',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given')]),
      'none',
      '',
      null,
    ],
    [
      'and their run was deleted',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given', null)]),
      'none',
      '',
      null,
    ],
    [
      'and it is said only later',
      NOW_MAIL,
      applied(MAIL, 'done', [done('nothing', null)]),
      'changed',
      'off',
      GIVEN,
    ],
    [
      'and more of them are to go',
      `${MAIL}, ${ALL}`,
      applied(MAIL, 'done', [done('unsubscribe_given')]),
      'changed',
      'off',
      ALL,
    ],
    [
      'and more of them went',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_all')]),
      'none',
      '',
      null,
    ],
    [
      'and nothing is asked any more after their run failed',
      MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given', 'failed')]),
      'none',
      '',
      null,
    ],
    [
      'and their run failed',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given', 'failed')]),
      'changed',
      'off',
      GIVEN,
    ],
    [
      'and their run was cancelled',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given', 'cancelled')]),
      'changed',
      'off',
      GIVEN,
    ],
    [
      'and their run goes on',
      NOW_MAIL,
      applied(MAIL, 'done', [done('unsubscribe_given', 'submit')]),
      'running',
      '',
      null,
      null,
      'o1',
    ],
    [
      'and their run goes on while more are to go',
      `${MAIL}, ${ALL}`,
      applied(MAIL, 'done', [done('unsubscribe_given', 'submit')]),
      'changed',
      'off',
      ALL,
      'o1',
      'o1',
    ],
    [
      'and it is switched on again while their run goes on',
      `${BOTH}, ${GIVEN}`,
      applied(MAIL, 'done', [done('unsubscribe_given', 'submit')]),
      'changed',
      'channels',
      null,
      'o1',
      'o1',
    ],
    [
      'while the run of the program goes on',
      NOW_MAIL,
      applied(MAIL, 'submit', [done('nothing', null)]),
      'changed',
      'off',
      GIVEN,
      'm1',
    ],
    [
      'of a program that is off altogether',
      `${MAIL}, enabled: false, ${GIVEN}`,
      applied(`${MAIL}, enabled: false`, 'done', [done('nothing', null)]),
      'switched_off',
      'off',
      GIVEN,
    ],
  ] as const) {
    it(`a channel that is switched off: ${what}`, () => {
      const [found] = changesOf([stateOfFile(now)], before === null ? [] : [before]);
      assert.ok(found !== undefined);
      assert.deepEqual(
        [found.change, found.keys.join(), found.running, found.offRunning],
        [change, keys, running, offRunning],
      );
      const people = off === null ? null : off === ALL ? 'unsubscribe_all' : 'unsubscribe_given';
      assert.deepEqual(found.off, people === null ? null : { people, channels: ['sms'] });
    });
  }
});
