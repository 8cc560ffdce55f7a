import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Access } from '../../../src/activities/migration/preflight/access.js';
import type { AccountFacts, TextFacts } from '../../../src/activities/migration/preflight/facts.js';
import { listCalled } from '../../../src/activities/migration/preflight/named-list.js';
import { judge } from '../../../src/activities/migration/preflight/verdict.js';
import type { MigrationSettings } from '../../../src/contracts/migration.js';
import { KlaviyoScopeMissingError, type EndpointName } from '../../../src/klaviyo/index.js';
import type { AskedRows } from '../../../src/ledger/index.js';
import { MIGRATION_SETTINGS } from '../../support/settings.js';

const SETTINGS: MigrationSettings = {
  ...MIGRATION_SETTINGS,
  listId: 'LIST01',
  moveFrom: null,
  channels: ['email', 'sms'],
};

const ROWS: AskedRows = {
  operations: ['subscribe'],
  subscribes: 1_200,
  texts: [],
  undated: 0,
};

const SENDERS: TextFacts = {
  configuration: { readable: true, value: { id: 'acc', status: 'active' } },
  senders: {
    readable: true,
    value: [
      { id: '1', type: 'toll_free', status: 'active', country: 'US' },
      { id: '2', type: 'long_code', status: 'pending', country: 'GB' },
    ],
  },
};

/** A key that was asked everything, and may not use `refused`. */
async function accessWithout(...refused: EndpointName[]): Promise<Access> {
  const access = new Access();
  const asked = ['get_accounts', 'get_list', 'get_profiles', 'get_metrics', 'get_events'] as const;
  for (const endpoint of asked) {
    await access.ask(endpoint, () =>
      refused.includes(endpoint)
        ? Promise.reject(
            new KlaviyoScopeMissingError({ endpoint, baseUrl: 'http://k.test', fromKlaviyo: true }),
          )
        : Promise.resolve(),
    );
  }
  return access;
}

async function verdict(
  facts: Partial<AccountFacts> = {},
  settings: Partial<MigrationSettings> = {},
  rows: Partial<AskedRows> | null = {},
) {
  return judge(
    {
      access: await accessWithout(),
      accountId: 'AbC123',
      list: { id: 'LIST01', name: 'News', optInProcess: 'single_opt_in', flows: [] },
      texts: null,
      ...facts,
    },
    { ...SETTINGS, ...settings },
    rows === null ? null : { ...ROWS, ...rows },
    () => null,
  );
}

const LIST = { id: 'LIST01', name: 'News', optInProcess: 'single_opt_in', flows: [] } as const;
const DOUBLE = { ...LIST, optInProcess: 'double_opt_in' } as const;
const FLOWS = [
  { id: 'F1', name: 'Welcome', status: 'live' },
  { id: 'F2', name: 'Old', status: 'draft' },
] as const;

describe('preflight', () => {
  for (const [situation, facts, settings, rows, said] of [
    [
      'live rows and a double opt-in list that nobody expected',
      { list: DOUBLE },
      {},
      {},
      [/double opt-in list: Klaviyo would ask 1,200 rows to confirm.*--opt-in double/],
    ],
    [
      'a process that is not the expected one',
      {},
      { expectedOptIn: 'double_opt_in' },
      { subscribes: 1 },
      [/is single_opt_in, but --opt-in expects double_opt_in for 1 row\./],
    ],
    [
      'no list, and nobody said what the account does',
      { list: null },
      { listId: null },
      {},
      [/state which one applies to 1,200 rows with --opt-in/],
    ],
    [
      'a historical run into a double opt-in list',
      { list: DOUBLE },
      { historicalImport: true },
      {},
      [],
    ],
    [
      'opt-outs alone, whose list does not matter',
      { list: DOUBLE },
      {},
      { operations: ['unsubscribe'], subscribes: 0 },
      [],
    ],
    [
      'rows without a date in a historical run',
      {},
      { historicalImport: true, stopOnUndated: true },
      { undated: 40 },
      [/^40 rows have no consent date.*--consented-at.*--undated list_only.*--undated reject/],
    ],
    [
      'the same where somebody said what to do with them',
      {},
      { historicalImport: true, stopOnUndated: false },
      { undated: 40 },
      [],
    ],
    [
      'texts to countries without an active sender',
      { texts: SENDERS },
      {},
      {
        texts: [
          { country: 'US', rows: 900 },
          { country: 'GB', rows: 30 },
          { country: null, rows: 2 },
        ],
      },
      [
        /^The SMS consent of 32 rows is for .*: GB 30, unknown 2\..*for US.*--sms-without-sender reject/,
      ],
    ],
    [
      'the same where they may end rejected',
      { texts: SENDERS },
      { smsWithoutSender: 'reject' },
      { texts: [{ country: 'GB', rows: 30 }] },
      [],
    ],
    [
      'texts and an account without SMS',
      {
        texts: {
          configuration: { readable: false, status: 404 },
          senders: { readable: true, value: [] },
        },
      },
      {},
      { texts: [{ country: 'US', rows: 3 }] },
      [/SMS is not set up or disabled.*the SMS consent of 3 rows cannot be stored/],
    ],
    [
      'texts and a key that may not read the senders',
      {
        texts: {
          configuration: { readable: false, status: 403 },
          senders: { readable: false, status: 403 },
        },
      },
      {},
      { texts: [{ country: 'US', rows: 3 }] },
      [/the SMS consent of 3 rows depends on.*--sms-countries US,CA/],
    ],
    [
      'everything at once, so that one start tells all',
      { list: DOUBLE, texts: SENDERS },
      {},
      { texts: [{ country: 'GB', rows: 1 }] },
      [/double opt-in list/, /GB 1/],
    ],
  ] satisfies [
    string,
    Partial<AccountFacts>,
    Partial<MigrationSettings>,
    Partial<AskedRows>,
    RegExp[],
  ][]) {
    it(`${said.length === 0 ? 'lets through' : 'stops'} ${situation}`, async () => {
      const { stops } = await verdict(facts, settings, rows);
      assert.equal(stops.length, said.length, JSON.stringify(stops));
      for (const [place, words] of said.entries()) {
        assert.match(stops[place]?.message ?? '', words);
      }
    });
  }

  it('names every scope that a key lacks at once, and all that the run needs', async () => {
    const { stops } = await verdict({ access: await accessWithout('get_list', 'get_profiles') });
    assert.equal(stops.length, 1, JSON.stringify(stops));
    const message = stops[0]?.message ?? '';
    assert.match(message, /get_profiles \(profiles:read\), get_list \(lists:read\)/);
    assert.match(
      message,
      /In total, this run needs accounts:read, lists:read, lists:write, profiles:read, profiles:write, subscriptions:write\./,
    );
  });

  it('goes on without events, and says what that costs', async () => {
    const { stops, preflight } = await verdict({ access: await accessWithout('get_events') });
    assert.deepEqual(stops, []);
    assert.match(preflight.warnings.join(), /metrics:read, events:read.*ten times the calls/);
    assert.equal(
      preflight.access.find(({ endpoint }) => endpoint === 'get_events')?.allowed,
      false,
    );
  });

  it('warns of live flows that joining the list starts, not of drafts, nor in a historical run', async () => {
    const facts = { list: { ...LIST, flows: FLOWS } };
    const { preflight } = await verdict(facts);
    assert.equal(preflight.warnings.length, 1);
    assert.match(preflight.warnings[0]!, /starts 1 live flow for 1,200 rows: Welcome\./);
    assert.deepEqual((await verdict(facts, { historicalImport: true })).preflight.warnings, []);
  });

  it('speaks of everybody where there is no source', async () => {
    const { stops } = await verdict({ list: DOUBLE }, {}, null);
    assert.match(stops[0]?.message ?? '', /would ask everybody to confirm/);
  });

  it('warns where the account has lower limits than documented', async () => {
    const { preflight } = judge(
      { access: await accessWithout(), accountId: 'a', list: LIST, texts: null },
      SETTINGS,
      ROWS,
      (endpoint) =>
        endpoint === 'get_profiles' ? { burst: 10, steady: 150, remaining: 9, window: 1 } : null,
    );
    assert.match(
      preflight.warnings[0] ?? '',
      /150 calls a minute to get_profiles, but documents 750/,
    );
    assert.deepEqual(
      preflight.limits.find(({ endpoint }) => endpoint === 'get_profiles'),
      {
        endpoint: 'get_profiles',
        burst: 10,
        steady: 150,
        remaining: 9,
        windowSeconds: 1,
      },
    );
  });
});

describe('a list by its id or its name', () => {
  const news = { id: 'NEWS01', name: 'News' };
  const OTHERS = [
    { id: 'CLUB01', name: 'Club' },
    { id: 'NEWT01', name: 'Newt' },
  ];
  for (const [what, byId, listed, id, says] of [
    ['the one with the name', null, [news], 'NEWS01', null],
    ['the one with the id', { id: 'News' }, [], 'News', null],
    ['one whose id is its name', { id: 'News' }, [{ id: 'News', name: 'News' }], 'News', null],
    ['none without either', null, [], null, /the name "News", but Newt \(NEWT01\)\. Correct/],
    [
      'none with another spelling, whatever Klaviyo takes for equal',
      null,
      [{ id: 'NEWS02', name: 'news' }],
      null,
      /but news \(NEWS02\)\./,
    ],
    [
      'the one with this spelling beside others',
      null,
      [{ id: 'NEWS02', name: 'news' }, news],
      'NEWS01',
      null,
    ],
    ['none of two', null, [news, { ...news, id: 'NEWS03' }], null, /several .*: NEWS01, NEWS03\./],
    ['none of a name and an id', { id: 'News' }, [news], null, /several .*: News, NEWS01\./],
  ] as const) {
    it(`is ${what}`, () => {
      const found = listCalled('News', byId, listed, OTHERS);
      assert.equal(found.id, id);
      if (says === null) assert.equal(found.stop, null);
      else assert.match(found.stop ?? '', says);
    });
  }
});
