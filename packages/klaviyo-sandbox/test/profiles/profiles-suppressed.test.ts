import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, get, refusal, sandboxFor, type PageBody } from '../support.js';

const GLOBAL = 'subscriptions.email.marketing.suppression';
const LISTS = 'subscriptions.email.marketing.list_suppressions';
const dayOf = (day: number) => new Date(Date.UTC(2024, 0, day)).toISOString();

/** a to h: the suppression reason, and its day in January. */
const SUPPRESSED = {
  a: [['UNSUBSCRIBE', 9]],
  b: [],
  c: [
    ['HARD_BOUNCE', 3],
    ['UNSUBSCRIBE', 7],
  ],
  d: [
    ['USER_SUPPRESSED', 5],
    ['HARD_BOUNCE', 5],
  ],
  e: [],
  f: [['UNSUBSCRIBE', 1]],
  g: [['SPAM_COMPLAINT', 5]],
  h: [['UNSUBSCRIBE', 5]],
} as const;
/** The people suppressed for the single list, and since when; `f` also for the other list. */
const FROM_LIST: [keyof typeof SUPPRESSED, string, number][] = [
  ['h', 'Single', 2],
  ['b', 'Single', 8],
  ['f', 'Single', 4],
  ['f', 'Double', 6],
];

async function eight(t: TestContext): Promise<Sandbox> {
  const sandbox = await sandboxFor(t);
  const { profiles } = sandbox.account;
  for (const [name, suppressions] of Object.entries(SUPPRESSED)) {
    const email = `${name}@shop.test`;
    sandbox.account.seed({
      email,
      created: dayOf(1),
      suppressions: suppressions.map(([reason, day]) => ({ reason, timestamp: dayOf(day) })),
    });
  }
  for (const [name, listId, day] of FROM_LIST) {
    const index = profiles.withEmail(`${name}@shop.test`)!;
    const timestamp = Date.parse(dayOf(day));
    profiles.setListSuppression(index, { listId, reason: 'UNSUBSCRIBE', timestamp });
  }
  return sandbox;
}

/** Initials of everybody that the query finds, in pages of two. */
async function found(sandbox: Sandbox, query: Record<string, string>): Promise<string> {
  let names = '';
  const path = `/api/profiles?${new URLSearchParams({ 'page[size]': '2', ...query }).toString()}`;
  for (let next: string | null = path; next !== null;) {
    const page: PageBody = await get(sandbox, next);
    names += page.data.map(({ attributes }) => (attributes['email'] as string)[0]).join('');
    next = page.links.next;
  }
  return names;
}

const FILTERS: [string, string, string][] = [
  ['a reason', `equals(${GLOBAL}.reason,"UNSUBSCRIBE")`, 'fhca'],
  ['an unknown reason', `equals(${GLOBAL}.reason,"BORED")`, ''],
  ['a date from', `greater-or-equal(${GLOBAL}.timestamp,${dayOf(5)})`, 'dghca'],
  ['a date after', `greater-than(${GLOBAL}.timestamp,${dayOf(5)})`, 'ca'],
  ['a date until', `less-or-equal(${GLOBAL}.timestamp,${dayOf(5)})`, 'fcdgh'],
  ['a date before', `less-than(${GLOBAL}.timestamp,${dayOf(5)})`, 'fc'],
  [
    'reason and date of one suppression',
    `equals(${GLOBAL}.reason,"UNSUBSCRIBE"),less-than(${GLOBAL}.timestamp,${dayOf(7)})`,
    'fh',
  ],
  [
    'a reason beside addresses',
    `equals(${GLOBAL}.reason,"UNSUBSCRIBE"),any(email,["a@shop.test","b@shop.test"])`,
    'a',
  ],
  [
    'a reason beside another date',
    `equals(${GLOBAL}.reason,"UNSUBSCRIBE"),less-than(created,${dayOf(1)})`,
    '',
  ],
  ['a list', `equals(${LISTS}.list_id,"Single")`, 'hfb'],
  ['a list that nobody left', `equals(${LISTS}.list_id,"None")`, ''],
  [
    'a list with reason and date',
    `equals(${LISTS}.list_id,"Single"),equals(${LISTS}.reason,"UNSUBSCRIBE"),greater-than(${LISTS}.timestamp,${dayOf(2)})`,
    'fb',
  ],
  [
    'a list with another reason',
    `equals(${LISTS}.list_id,"Single"),equals(${LISTS}.reason,"HARD_BOUNCE")`,
    '',
  ],
];
for (const [name, filter, expected] of FILTERS) {
  test(`finds the suppressed by ${name}`, async (t) => {
    assert.equal(await found(await eight(t), { filter }), expected);
  });
}

const SORTS: [string, string][] = [
  [`${GLOBAL}.timestamp`, 'fcdghabe'],
  [`-${GLOBAL}.timestamp`, 'achgdfbe'],
  [`${LISTS}.timestamp`, 'hfbacdeg'],
  [`-${LISTS}.timestamp`, 'bfhacdeg'],
];
for (const [sort, expected] of SORTS) {
  test(`sorts by ${sort}, unsuppressed profiles last`, async (t) => {
    assert.equal(await found(await eight(t), { sort }), expected);
  });
}

test('sorts a few named people by their suppression', async (t) => {
  const filter = 'any(email,["b@shop.test","a@shop.test","f@shop.test"])';
  const sandbox = await eight(t);
  assert.equal(await found(sandbox, { filter, sort: `${GLOBAL}.timestamp` }), 'fab');
  assert.equal(await found(sandbox, { filter, sort: `-${GLOBAL}.timestamp` }), 'afb');
});

test('a filter follows added and removed suppressions', async (t) => {
  const sandbox = await eight(t);
  const { profiles } = sandbox.account;
  const filter = `equals(${GLOBAL}.reason,"UNSUBSCRIBE")`;
  profiles.liftSuppressions(profiles.withEmail('h@shop.test')!, new Set(['UNSUBSCRIBE']));
  const b = profiles.withEmail('b@shop.test')!;
  profiles.addSuppression(b, { reason: 'UNSUBSCRIBE', timestamp: Date.parse(dayOf(8)) });
  assert.equal(await found(sandbox, { filter }), 'fcba');
  profiles.liftSuppressions(b, new Set(['UNSUBSCRIBE']));
  profiles.addSuppression(b, { reason: 'UNSUBSCRIBE', timestamp: Date.parse(dayOf(2)) });
  assert.equal(await found(sandbox, { filter }), 'fbca');
  profiles.remove(profiles.withEmail('f@shop.test')!);
  assert.equal(await found(sandbox, { filter }), 'bca');
});

const REFUSED: [string, Record<string, string>, string, RegExp][] = [
  [
    'a sort',
    { filter: `equals(${GLOBAL}.reason,"UNSUBSCRIBE")`, sort: 'id' },
    'sort',
    /not allowed with a filter on suppressions/,
  ],
  [
    'filters on lists and on the account together',
    { filter: `equals(${GLOBAL}.reason,"UNSUBSCRIBE"),equals(${LISTS}.list_id,"Single")` },
    'filter',
    /cannot be combined/,
  ],
  [
    'a second date of the suppression',
    {
      filter: `greater-than(${GLOBAL}.timestamp,${dayOf(1)}),less-than(${GLOBAL}.timestamp,${dayOf(3)})`,
    },
    'filter',
    /one date filter/,
  ],
  [
    'a second date of something else',
    { filter: `greater-than(${GLOBAL}.timestamp,${dayOf(1)}),greater-than(updated,${dayOf(1)})` },
    'filter',
    /one date filter/,
  ],
  [
    'list suppressions without a list',
    { filter: `equals(${LISTS}.reason,"UNSUBSCRIBE")` },
    'filter',
    /list_id/,
  ],
  [
    'two lists',
    { filter: `equals(${LISTS}.list_id,"Single"),equals(${LISTS}.list_id,"Double")` },
    'filter',
    /more than once/,
  ],
];
for (const [name, query, parameter, detail] of REFUSED) {
  test(`refuses a suppression filter with ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const path = `/api/profiles?${new URLSearchParams(query).toString()}`;
    const { status, errors } = await refusal(await call(sandbox, 'GET', path));
    assert.deepEqual([status, errors[0]![0]], [400, parameter]);
    assert.match(errors[0]![1]!, detail);
  });
}
