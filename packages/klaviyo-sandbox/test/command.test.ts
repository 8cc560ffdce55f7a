import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_SWITCHES } from '../src/index.js';
import { run, startCommand } from './command-support.js';

interface Ready {
  url: string;
  apiKey: string;
  lists: { id: string }[];
  profiles: number;
}

const HOUR = 3_600_000;

describe('klaviyo-sandbox', { timeout: 120_000 }, () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    await writeFile(
      file('settings.json'),
      JSON.stringify({
        switches: { events: 'late', unknownIdOnGet: 400, sameIdentifier: 'newest' },
        seed: 7,
        clockAheadMs: -HOUR,
      }),
    );
    const people = [
      { email: 'ada@shop.test', email_consent: 'SUBSCRIBED', lists: ['Single'] },
      { email: 'ben@shop.test' },
    ];
    await writeFile(file('people.ndjson'), people.map((line) => JSON.stringify(line)).join('\n'));
  });
  after(() => rm(folder, { recursive: true }));

  it('starts with the people, switches, faults and latency in the flags', async () => {
    const args = [
      ...['--settings', file('settings.json'), '--seed-file', file('people.ndjson')],
      ...['--profiles', '50', '--switch', 'unknownIdOnGet=404', '--switch', 'errorsPerAnswer=2'],
      ...['--fault', '503:get_lists', '--fault', '500:get_profiles:times=2'],
      ...['--latency', 'constant:get_accounts:ms=60', '--exchanges', file('exchanges')],
    ];
    const command = await startCommand(...args);
    try {
      const { url, apiKey, lists, profiles } = command.ready as Ready;
      assert.deepEqual([lists.map(({ id }) => id), profiles], [['Single', 'Double'], 52]);
      const control = async <T>(path: string) =>
        (await (await fetch(`${url}/sandbox${path}`)).json()) as T;
      const { switches } = await control<{ switches: object }>('/settings');
      assert.deepEqual(switches, {
        ...DEFAULT_SWITCHES,
        events: 'late',
        unknownIdOnGet: 404,
        sameIdentifier: 'newest',
        errorsPerAnswer: 2,
      });
      const { faults } = await control<{ faults: { kind: string }[] }>('/faults');
      assert.deepEqual(
        faults.map(({ kind }) => kind),
        ['503', '500'],
      );
      const truth = await control<{ lists: { id: string }[] }>('/truth?email=ada@shop.test');
      assert.deepEqual(
        truth.lists.map(({ id }) => id),
        ['Single'],
      );
      const headers = { authorization: `Klaviyo-API-Key ${apiKey}`, revision: '2026-07-15' };
      const answer = await fetch(`${url}/api/accounts`, { headers });
      assert.equal(answer.status, 200);
      const behind = Date.now() - Date.parse(answer.headers.get('date')!);
      assert.ok(Math.abs(behind - HOUR) < 60_000, `${behind} ms behind`);
      const { requests } = await control<{ requests: { ms: number }[] }>('/requests/log');
      assert.ok(requests[0]!.ms >= 59);
      const [log] = await readdir(file('exchanges'));
      assert.match(await readFile(join(file('exchanges'), log!), 'utf8'), /"get_accounts"/);
    } finally {
      assert.equal(await command.stop(), 'SIGTERM');
    }
  });

  it('lists every switch in its help', async () => {
    const { stdout } = await run('--help');
    for (const [name, usual] of Object.entries(DEFAULT_SWITCHES)) {
      assert.match(stdout, new RegExp(`^  ${name} .*\\(default: ${String(usual)}\\)$`, 'm'));
    }
  });

  const cases: [string, () => string[], RegExp][] = [
    [
      'a switch without a value',
      () => ['--switch', 'events'],
      /--switch events: write a switch as/,
    ],
    ['an unknown switch', () => ['--switch', 'evens=late'], /no switch "evens"; known are/],
    ['a value that a switch cannot have', () => ['--switch', 'events=soon'], /at_once or late/],
    ['an unknown fault', () => ['--fault', '418'], /--fault 418: kind must be one of/],
    [
      'a fault of no operation',
      () => ['--fault', '500:get_all'],
      /--fault: no operation "get_all"/,
    ],
    ['an unknown latency', () => ['--latency', 'long'], /--latency long: latency kind must be/],
    ['no people', () => ['--profiles', '0'], /whole number/],
    ['a seed file that is not there', () => ['--seed-file', file('none')], /--seed-file .*ENOENT/],
    [
      'a seed file with a bad line',
      () => ['--seed-file', file('settings.json')],
      /--seed-file .*settings\.json: line 1: unknown field "switches"/,
    ],
    ['settings that are no JSON', () => ['--settings', file('people.ndjson')], /--settings .*JSON/],
    [
      'a setting that is a function',
      () => ['--settings', file('hook.json')],
      /no "onRequest"; known are port,/,
    ],
    ['an unknown setting', () => ['--settings', file('odd.json')], /no "listz"; known are port,/],
    ['a bad setting', () => ['--settings', file('bad.json')], /cannot start: speed must be/],
  ];
  for (const [name, args, words] of cases) {
    it(`ends with 2 and a reason for ${name}`, async () => {
      await writeFile(file('odd.json'), '{"listz":[]}');
      await writeFile(file('bad.json'), '{"speed":0}');
      await writeFile(file('hook.json'), '{"onRequest":true}');
      const { code, stdout, stderr } = await run(...args());
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, words);
    });
  }
});
