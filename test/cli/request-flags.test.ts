import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { addRequestFlags, settingsGiven } from '../../src/cli/request-flags.js';
import { asFlags } from '../../src/cli/request-words.js';
import { CONSENT_CHANNELS } from '../../src/contracts/channels.js';
import { ENCODINGS } from '../../src/connectors/files/encodings.js';
import { PRESET_NAMES } from '../../src/importers/presets/names.js';
import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import { parseRequest } from '../../src/starter/migrations/request/parse.js';
import type { FullRequest } from '../../src/starter/migrations/request/schema.js';
import type { Verb } from '../../src/starter/migrations/request/setting.js';
import { flagsOf, REQUEST_SETTINGS } from '../../src/starter/migrations/request/settings-list.js';
import { durationText } from '../../src/starter/migrations/request/spelling.js';

/** What `consentry migrate` makes of these arguments. */
function readAtCli(...argv: string[]): FullRequest {
  const command = addRequestFlags(new Command('migrate'), 'migrate').exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(argv, { from: 'user' });
  return parseRequest({ ...settingsGiven('migrate', command.opts()), file: 'a.csv' }, asFlags);
}

/** The flags of a request, as a person would write them by hand. */
function flagsFor(request: Omit<MigrationRequest, 'file' | 'approvalAbove'>): string[] {
  const {
    canary,
    timing,
    quietHours,
    historical,
    implicit,
    dryRun,
    absentIsNew,
    channels,
    smsCountries,
    ...plain
  } = request;
  const named: Record<string, string> = {
    listId: 'list',
    mapping: 'map',
    optIn: 'opt-in',
    smsColumn: 'sms-column',
    smsWithoutSender: 'sms-without-sender',
    customSource: 'custom-source',
    consentedAt: 'consented-at',
    watchDays: 'watch-days',
  };
  const valued: [string, string | undefined][] = [
    ...Object.entries(plain).map(([name, value]): [string, string] => [
      named[name] ?? name,
      String(value),
    ]),
    ['channels', channels?.join(',')],
    ['sms-countries', smsCountries?.join(',')],
    ['canary', canary?.rows.toString()],
    ['wait', canary?.waitMs === undefined ? undefined : `${canary.waitMs / 1_000}s`],
    ['quiet-from', quietHours?.from],
    ['quiet-to', quietHours?.to],
    ['quiet-time-zone', quietHours?.timeZone],
    [
      'confirm-within',
      typeof timing?.confirmWithinMs === 'number' ? `${timing.confirmWithinMs}ms` : undefined,
    ],
  ];
  const switches = { historical, implicit, 'dry-run': dryRun, 'absent-is-new': absentIsNew };
  return [
    ...valued.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...Object.entries(switches).flatMap(([name, on]) => (on === true ? [`--${name}`] : [])),
  ];
}

const word = fc.stringMatching(/^[A-Za-z0-9 =,-]{0,8}[A-Za-z0-9]$/);
const countries = fc.constantFrom('US', 'GB', 'DE');
const asked = fc.record(
  {
    channels: fc.uniqueArray(fc.constantFrom(...CONSENT_CHANNELS), { minLength: 1 }),
    preset: fc.constantFrom(...PRESET_NAMES),
    mapping: word,
    smsColumn: word,
    country: countries,
    timezone: word,
    consentedAt: word,
    undated: fc.constantFrom('subscribe', 'list_only', 'reject'),
    account: word,
    listId: word,
    optIn: fc.constantFrom('single', 'double'),
    historical: fc.boolean(),
    implicit: fc.boolean(),
    smsCountries: fc.array(countries, { minLength: 1, maxLength: 3 }),
    smsWithoutSender: fc.constantFrom('stop', 'reject'),
    customSource: word,
    dryRun: fc.boolean(),
    pilot: fc.integer({ min: 1 }),
    canary: fc.record(
      { rows: fc.integer({ min: 1 }), waitMs: fc.integer({ min: 1, max: 900_000 }) },
      { requiredKeys: ['rows'] },
    ),
    share: fc.constantFrom(0.01, 0.5, 1),
    watchDays: fc.integer({ min: 0, max: 365 }),
    mirror: fc.constantFrom('auto', 'always', 'off'),
    absentIsNew: fc.boolean(),
    quietHours: fc.record({
      from: fc.constantFrom('21:00', '00:30'),
      to: fc.constantFrom('08:00', '23:59'),
      timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York'),
    }),
    timing: fc.record({ confirmWithinMs: fc.integer({ min: 1 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
/** The encoding is that of a file: together with a query it is always a contradiction. */
const sources = fc.oneof(
  fc.record({ query: word }),
  fc.record({ encoding: fc.constantFrom(...ENCODINGS) }),
  fc.constant({}),
);
const requests = fc.tuple(asked, sources).map(([settings, source]) => ({
  ...settings,
  ...source,
})) as fc.Arbitrary<Omit<MigrationRequest, 'file' | 'approvalAbove'>>;

/** What a request ends in: its settings, or that it is refused. */
function endOf(parse: () => FullRequest): FullRequest | 'refused' {
  try {
    return parse();
  } catch {
    return 'refused';
  }
}

describe('the flags of a request', () => {
  it('end in the settings that a script ends in', () => {
    let read = 0;
    fc.assert(
      fc.property(requests, (request) => {
        const scripted = endOf(() =>
          parseRequest({ ...request, file: 'a.csv', approvalAbove: 1_000 }),
        );
        assert.deepEqual(
          endOf(() => readAtCli(...flagsFor(request))),
          scripted,
        );
        if (scripted !== 'refused') read += 1;
      }),
      { numRuns: 300 },
    );
    assert.ok(read > 50, `only ${read} requests were no contradiction`);
  });

  it('are settings that parse to themselves', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const full = endOf(() => parseRequest({ ...request, file: 'a.csv' }));
        if (full === 'refused') return;
        assert.deepEqual(parseRequest(full), full);
      }),
    );
  });

  it('wait for approval above 1,000 rows, unless --yes gives it', () => {
    assert.equal(readAtCli().approvalAbove, 1_000);
    assert.equal(readAtCli('--yes').approvalAbove, null);
  });

  it('are each of a setting that has words, and no two of one name', () => {
    const spellings = flagsOf('migrate').map(({ flag }) => flag?.spelling.split(' ')[0]);
    assert.equal(new Set(spellings).size, spellings.length);
    for (const { name, says } of REQUEST_SETTINGS) assert.match(says, /\w.*[^.\s]$/, name);
  });

  for (const [verb, flags] of [
    ['check', ['channels', 'account', 'list', 'opt-in', 'historical', 'sms-countries']],
    ['retry-failed', ['sms-countries', 'yes']],
    [
      'program run',
      [
        'dry-run',
        'yes',
        'canary',
        'wait',
        'share',
        'watch-days',
        'confirm-within',
        'lost-answer-wait',
      ],
    ],
    ['map', ['query', 'encoding', 'channels']],
  ] as const satisfies readonly [Verb, readonly string[]][]) {
    it(`of ${verb} are of settings that it does something with`, () => {
      assert.deepEqual(
        flagsOf(verb).map(({ flag }) => flag?.spelling.split(' ')[0]),
        flags.map((flag) => `--${flag}`),
      );
    });
  }

  for (const [ms, text] of [
    [250, '250ms'],
    [90_000, '90s'],
    [900_000, '15m'],
    [21_600_000, '6h'],
    [0, '0ms'],
  ] as const) {
    it(`writes ${ms} milliseconds as ${text}`, () => assert.equal(durationText(ms), text));
  }
});
