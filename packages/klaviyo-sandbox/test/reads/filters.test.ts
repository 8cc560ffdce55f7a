import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { ApiError } from '../../src/api/http/errors.js';
import { readFilter, type Filterable } from '../../src/api/query/filter.js';
import { call, get, refusal, sandboxFor } from '../support.js';

const ALLOWED: Filterable = {
  name: { operators: ['any', 'equals'], kind: 'text' },
  status: { operators: ['equals'], kind: 'text', values: ['queued', 'complete'] },
  created: { operators: ['greater-than', 'less-than'], kind: 'date' },
  timestamp: { operators: ['greater-than'], kind: 'number' },
  is_active: { operators: ['any', 'equals'], kind: 'boolean' },
  profile: { operators: ['has'], kind: 'none' },
};
const DATE = '2024-01-01T00:00:00Z';
const MS = Date.parse(DATE);

const READ: [string, string, unknown[]][] = [
  ['double quotes', 'equals(name,"Ada")', [{ kind: 'text', text: 'Ada' }]],
  ['single quotes', "equals(name,'Ada')", [{ kind: 'text', text: 'Ada' }]],
  ['an escaped quote', String.raw`equals(name,'Tony\'s')`, [{ kind: 'text', text: "Tony's" }]],
  ['an escaped backslash', String.raw`equals(name,"a\\b")`, [{ kind: 'text', text: 'a\\b' }]],
  ['signs inside quotes', 'equals(name,"a),(b,[c]")', [{ kind: 'text', text: 'a),(b,[c]' }]],
  ['a list', `any(name,["a",'b'])`, [{ kind: 'texts', texts: ['a', 'b'] }]],
  ['an empty list', 'any(name,[])', [{ kind: 'texts', texts: [] }]],
  ['a date', `less-than(created,${DATE})`, [{ kind: 'date', ms: MS, offset: false }]],
  ['a number', 'greater-than(timestamp,12.5)', [{ kind: 'number', number: 12.5 }]],
  ['a boolean', 'equals(is_active,true)', [{ kind: 'boolean', is: true }]],
  ['booleans', 'any(is_active,[true,false])', [{ kind: 'booleans', are: [true, false] }]],
  ['a field alone', 'has(profile)', [{ kind: 'none' }]],
  [
    'and(...)',
    'and(equals(name,"a"),equals(is_active,false))',
    [
      { kind: 'text', text: 'a' },
      { kind: 'boolean', is: false },
    ],
  ],
  [
    'bare commas and blanks',
    'equals( name , "a" ), equals(is_active, false)',
    [
      { kind: 'text', text: 'a' },
      { kind: 'boolean', is: false },
    ],
  ],
];

const MALFORMED: [string, string][] = [
  ['nothing', ''],
  ['an unquoted string', 'equals(name,Ada)'],
  ['an unquoted e-mail', 'equals(name,me@shop.test)'],
  ['a quoted date', `less-than(created,"${DATE}")`],
  ['a date without an offset', 'less-than(created,2024-01-01T00:00:00)'],
  ['a date with an offset', 'less-than(created,2024-01-01T00:00:00+00:00)'],
  ['a day', 'less-than(created,2024-01-01)'],
  ['null', 'equals(name,null)'],
  ['a missing bracket', 'equals(name,"a"'],
  ['an open quote', 'equals(name,"a)'],
  ['a comma at the end', 'equals(name,"a"),'],
  ['something after it', 'equals(name,"a") equals(name,"b")'],
  ['or(...)', 'or(equals(name,"a"),equals(name,"b"))'],
  ['not(...)', 'not(equals(name,"a"))'],
  ['an unknown operator', 'like(name,"a")'],
  ['any without a list', 'any(name,"a")'],
  ['a list of both kinds', 'any(name,["a",true])'],
  ['a field that needs a value', 'equals(name)'],
];

const REFUSED: [string, string, string][] = [
  [
    'another field',
    'equals(surname,"a")',
    "'surname' is not a filterable field for this resource. The filterable fields on this resource are: created, is_active, name, profile, status, timestamp.",
  ],
  [
    'a name that every object has',
    'equals(constructor,"a")',
    "'constructor' is not a filterable field for this resource. The filterable fields on this resource are: created, is_active, name, profile, status, timestamp.",
  ],
  [
    'another operator',
    `equals(created,${DATE})`,
    "'equals' is not an allowed filter operator for created.  Allowed operators are greater-than, less-than",
  ],
  [
    'the future',
    'less-than(created,2199-01-01T00:00:00Z)',
    "The value for 'created' must not be in the future.",
  ],
  [
    'an invalid value',
    'equals(status,"done")',
    "'done' is not a valid value for 'status'; valid: queued, complete.",
  ],
];

const DATES = { offsets: 'rejected', now: Date.now() } as const;

function detailOf(filter: string): string {
  try {
    readFilter(filter, ALLOWED, DATES);
  } catch (error) {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    assert.deepEqual(error.entries[0]?.source, { parameter: 'filter' });
    return error.message;
  }
  return 'was read';
}

describe('a filter', () => {
  for (const [name, filter, values] of READ) {
    it(`reads ${name}`, () => {
      const conditions = readFilter(filter, ALLOWED, DATES);
      assert.deepEqual(
        conditions.map(({ value }) => value),
        values,
      );
    });
  }
  for (const [name, filter] of MALFORMED) {
    it(`is malformed with ${name}`, () => {
      assert.equal(detailOf(filter), 'Invalid filter provided');
    });
  }
  for (const [name, filter, detail] of REFUSED) {
    it(`refuses ${name}`, () => {
      assert.equal(detailOf(filter), detail);
    });
  }
  it('accepts an offset if the switch says so', () => {
    const [condition] = readFilter('less-than(created,2024-01-01T02:00:00+02:00)', ALLOWED, {
      ...DATES,
      offsets: 'accepted',
    });
    assert.deepEqual(condition?.value, { kind: 'date', ms: MS, offset: true });
  });
});

test('the switch decides about offsets in a request', async (t) => {
  const path = `/api/lists?filter=${encodeURIComponent('greater-than(created,2024-01-01T00:00:00+00:00)')}`;
  const strict = await sandboxFor(t);
  const { status, errors } = await refusal(await call(strict, 'GET', path));
  assert.deepEqual([status, errors], [400, [['filter', 'Invalid filter provided']]]);
  const lenient = await sandboxFor(t, { switches: { offsetInFilter: 'accepted' } });
  assert.equal((await get(lenient, path)).data.length, 2);
});
