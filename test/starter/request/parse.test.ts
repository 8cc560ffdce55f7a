import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asFlags } from '../../../src/cli/request-words.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import {
  parseCheck,
  parseRequest,
  parseRetry,
} from '../../../src/starter/migrations/request/parse.js';
import { SettingsError } from '../../../src/starter/migrations/request/settings-error.js';

/** As a script in JavaScript may give it. */
const asked = (settings: object): MigrationRequest => ({ file: 'a.csv', ...settings });

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a request', () => {
  it('needs a source alone: everything else has a default', () => {
    const { timing, ...settings } = parseRequest({ file: 'a.csv' });
    assert.deepEqual(settings, {
      file: 'a.csv',
      query: null,
      encoding: null,
      since: null,
      channels: ['email'],
      preset: null,
      mapping: null,
      smsColumn: null,
      country: null,
      timezone: null,
      consentedAt: null,
      attested: null,
      undated: null,
      account: null,
      listId: null,
      optIn: null,
      historical: false,
      implicit: false,
      operation: null,
      moveFrom: null,
      unsubscribeFrom: 'everything',
      floor: null,
      smsCountries: null,
      smsWithoutSender: 'stop',
      quietHours: null,
      customSource: null,
      dryRun: false,
      approvalAbove: null,
      pilot: null,
      canary: null,
      share: 1,
      watchDays: 7,
      askAgainDays: 30,
      mirror: 'auto',
      absentIsNew: false,
      rowsPerJob: 1_000,
      jobsPerBatch: 250,
    });
    assert.equal(timing.readEveryMs, 5_000);
  });

  it('may say undefined or null where it says nothing', () => {
    const silent = { listId: undefined, optIn: null, undated: null, canary: undefined };
    assert.deepEqual(parseRequest(asked(silent)), parseRequest({ file: 'a.csv' }));
  });

  it('names each channel once, in one order, and countries in capitals', () => {
    const { channels, country } = parseRequest(
      asked({ channels: ['sms', 'email', 'sms'], country: ' us' }),
    );
    assert.deepEqual(channels, ['email', 'sms']);
    assert.equal(country, 'US');
  });

  for (const [settings, inScript, atCli] of [
    [{ share: 1.5 }, 'share is 1.5', '--share is 1.5'],
    [{ watchDays: 'x' }, "watchDays is 'x'", "--watch-days is 'x'"],
    [{ channels: ['email', 'fax'] }, "channels is 'fax'", "--channels is 'fax'"],
    [{ channels: [] }, 'channels is a list', '--channels is a list'],
    [{ listId: '' }, "listId is ''", "--list is ''"],
    [{ country: 'USA' }, "country is 'USA'", "--country is 'USA'"],
    [{ historical: 'yes' }, "historical is 'yes'", "--historical is 'yes'"],
    [{ preset: 'mailchimp' }, "preset is 'mailchimp'", "--preset is 'mailchimp'"],
    [{ canary: { waitMs: 5 } }, 'canary.rows is missing', '--canary is missing'],
    [{ rowsPerJob: 1_001 }, 'rowsPerJob is 1001', 'rowsPerJob is 1001'],
    [{ timing: { confirmWithinMs: -1 } }, 'timing.confirmWithinMs is -1', '--confirm-within is -1'],
    [{ query: 'a\0b' }, 'query is', '--query is'],
  ] as const) {
    it(`is refused in the words of its caller: ${JSON.stringify(settings)}`, () => {
      const [script = '', ...more] = problemsOf(() => parseRequest(asked(settings)));
      assert.ok(script.startsWith(inScript), script);
      assert.match(script, /: give .+\.$/);
      assert.deepEqual(more, []);
      const [cli = ''] = problemsOf(() => parseRequest(asked(settings), asFlags));
      assert.ok(cli.startsWith(atCli), cli);
    });
  }

  it('is told all that is wrong with it at once', () => {
    assert.equal(problemsOf(() => parseRequest(asked({ share: 2, pilot: 0 }))).length, 2);
  });

  for (const [settings, words] of [
    [{ listid: 'X' }, 'There is no setting listid: did you mean listId?'],
    [{ chanels: ['sms'] }, 'There is no setting chanels: did you mean channels?'],
    [
      { timing: { readEvery: 1 } },
      'There is no setting timing.readEvery: did you mean timing.readEveryMs?',
    ],
    [
      { canary: { rows: 1, wait: 1 } },
      'There is no setting canary.wait: did you mean canary.waitMs?',
    ],
    [{ zzz: 1 }, 'There is no setting zzz: known are file, query, encoding, since, channels,'],
  ] as const) {
    it(`has no other setting than those that are known: ${JSON.stringify(settings)}`, () => {
      const [problem = ''] = problemsOf(() => parseRequest(asked(settings)));
      assert.ok(problem.startsWith(words), problem);
    });
  }

  it('does not show what may hold a password', () => {
    const url = new URL('postgres://user:secret@host.example/db');
    const given = { file: url, query: { secret: 1 } } as unknown as MigrationRequest;
    assert.doesNotMatch(problemsOf(() => parseRequest(given)).join(' '), /secret/);
  });

  it('is an object', () => {
    const given = 'a.csv' as unknown as MigrationRequest;
    assert.deepEqual(
      problemsOf(() => parseRequest(given)),
      ["The settings are 'a.csv': give an object such as { file: 'a.csv' }."],
    );
  });

  for (const [settings, inScript, atCli] of [
    [
      { historical: true, undated: 'subscribe' },
      /^historical: true sends consent dates, but undated: 'subscribe' .* use undated: 'reject' or/,
      /^--historical sends consent dates, but --undated subscribe .* use --undated reject or/,
    ],
    [
      { undated: 'list_only' },
      /^undated: 'list_only' needs a list: give listId: 'ID'\.$/,
      /^--undated list_only needs a list: give --list ID\.$/,
    ],
    [
      { implicit: true },
      /^implicit: true adds people to a list: give listId: 'ID'\.$/,
      /^--implicit adds people to a list: give --list ID\.$/,
    ],
    [
      { pilot: 1, canary: { rows: 1 } },
      /^pilot stops .*, but canary goes on .*: leave one out\.$/,
      /^--pilot stops .*, but --canary goes on .*: leave one out\.$/,
    ],
    [
      { since: 'old.csv', query: 'select 1' },
      /^since compares two files, not a database: .*, or leave since out\.$/,
      /^--since compares two files, not a database: .*, or leave --since out\.$/,
    ],
    [{ since: 'postgres://shop.example/crm' }, /^since compares two files/, /^--since compares/],
    [
      { operation: 'remove_from_list' },
      /^operation: 'add_to_list' and .* are about a list: give listId: 'ID'\.$/,
      /^--operation add_to_list and .* are about a list: give --list ID\.$/,
    ],
    [
      { moveFrom: 'X' },
      /^moveFrom moves people to another list: give listId: 'ID', the list that they are moved to\.$/,
      /^--move-from moves people to another list: give --list ID, the list that they are moved to\.$/,
    ],
    [{ moveFrom: 'X', listId: 'X' }, /^moveFrom moves .* another list/, /^--move-from moves/],
    [
      { moveFrom: 'X', listId: 'Y', operation: 'unsubscribe' },
      /^moveFrom moves everybody of the source, .*: leave out operation, implicit, historical and since\.$/,
      /^--move-from moves everybody .*: leave out --operation, --implicit, --historical and --since\.$/,
    ],
    [
      { unsubscribeFrom: 'list' },
      /^unsubscribeFrom: 'list' needs a list: give listId: 'ID'\.$/,
      /^--from list needs a list: give --list ID\.$/,
    ],
    [
      { unsubscribeFrom: 'list', listId: 'X', operation: 'suppress' },
      /^unsubscribeFrom: 'list' is for .*, but operation unsubscribes nobody: leave one out\.$/,
      /^--from list is for .*, but --operation unsubscribes nobody: leave one out\.$/,
    ],
    [
      { unsubscribeFrom: 'list', listId: 'X', floor: 'unsubscribe' },
      /^floor stops all mail .*, but unsubscribeFrom: 'list' ends .*: leave one out\.$/,
      /^--floor stops all mail .*, but --from list ends .*: leave one out\.$/,
    ],
    [
      { floor: 'unsubscribe', operation: 'unsuppress' },
      /^floor is for .*, but operation suppresses nobody: leave one out\.$/,
      /^--floor is for .*, but --operation suppresses nobody: leave one out\.$/,
    ],
    [
      { historical: true, operation: 'unsubscribe' },
      /^historical: true is for .*, but operation subscribes nobody: leave one out\.$/,
      /^--historical is for .*, but --operation subscribes nobody: leave one out\.$/,
    ],
    [
      { implicit: true, listId: 'X', operation: 'suppress' },
      /^implicit: true adds everybody to the list, and operation .*: leave one out\.$/,
      /^--implicit adds everybody to the list, and --operation .*: leave one out\.$/,
    ],
  ] as const) {
    it(`does not ask for what contradicts itself: ${JSON.stringify(settings)}`, () => {
      assert.match(problemsOf(() => parseRequest(asked(settings))).join('\n'), inScript);
      assert.match(problemsOf(() => parseRequest(asked(settings), asFlags)).join('\n'), atCli);
      assert.match(problemsOf(() => parseCheck(settings)).join('\n'), inScript);
    });
  }

  it('of a historical run may leave out what is undated, or put it on the list', () => {
    parseRequest(asked({ historical: true, undated: 'reject' }));
    parseRequest(asked({ historical: true, undated: 'list_only', listId: 'X' }));
  });

  it('to check has no source, and one to retry no list', () => {
    const file = { file: 'a.csv' } as object;
    assert.match(problemsOf(() => parseCheck(file)).join('\n'), /no setting file/);
    const list = { listId: 'X' } as object;
    assert.match(
      problemsOf(() => parseRetry(list)).join('\n'),
      /no setting listId: known are smsCo/,
    );
  });
});
