import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, get, refusal, sandboxFor } from '../support.js';

const REFUSED: [string, string, string, string | RegExp][] = [
  [
    'an unknown include, with the recorded wording',
    '/api/profiles?include=profiless',
    'include',
    "'profiless' is not an allowed include parameter for this resource.",
  ],
  [
    'page[size] without paging, with the recorded wording',
    '/api/metrics?page[size]=10',
    '/data/attributes/page_size',
    "'page_size' is not a valid field for the resource 'metric'.",
  ],
  [
    'an unknown parameter with the same wording',
    '/api/lists/Single/profiles?page[limit]=5',
    '/data/attributes/page_limit',
    "'page_limit' is not a valid field for the resource 'profile'.",
  ],
  [
    'fields of another type',
    '/api/lists?fields[template]=name',
    '/data/attributes/fields_template',
    "'fields_template' is not a valid field for the resource 'list'.",
  ],
  ['an unknown field', '/api/lists?fields[list]=nome', 'fields[list]', /'nome'/],
  ['a blank after a comma', '/api/lists?fields[list]=name, id', 'fields[list]', /' id'/],
  ['an empty list of fields', '/api/lists?fields[list]=', 'fields[list]', /''/],
  [
    'an unknown additional field',
    '/api/profiles?additional-fields[profile]=everything',
    'additional-fields[profile]',
    /'everything'/,
  ],
  ['an unknown order', '/api/profiles?sort=first_name', 'sort', /'first_name'/],
  ['two orders', '/api/profiles?sort=id,-created', 'sort', /'id,-created'/],
  ['too large a page', '/api/lists?page[size]=11', 'page[size]', /between 1 and 10/],
  ['a page of nothing', '/api/profiles?page[size]=0', 'page[size]', /between 1 and 100/],
  ['a page of some', '/api/profiles?page[size]=ten', 'page[size]', /between 1 and 100/],
  ['half a page', '/api/profiles?page[size]=1.5', 'page[size]', /between 1 and 100/],
  ['a made-up cursor', '/api/profiles?page[cursor]=abc', 'page[cursor]', /Invalid cursor/],
  ['a link without a cursor', '/api/lists?page[cursor]=http://', 'page[cursor]', /Invalid cursor/],
  [
    'a parameter given twice',
    '/api/profiles?filter=equals(email,"a@shop.test")&filter=equals(email,"b@shop.test")',
    'filter',
    /more than once/,
  ],
];
for (const [name, path, place, detail] of REFUSED) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await call(sandbox, 'GET', path));
    assert.equal(status, 400);
    assert.equal(errors.length, 1);
    assert.equal(errors[0]![0], place);
    if (typeof detail === 'string') assert.equal(errors[0]![1], detail);
    else assert.match(errors[0]![1]!, detail);
  });
}

test('accepts brackets percent-encoded or not', async (t) => {
  const sandbox = await sandboxFor(t);
  for (const query of [
    'page[size]=1&fields[list]=name',
    'page%5Bsize%5D=1&fields%5Blist%5D=name',
  ]) {
    const { data, links } = await get(sandbox, `/api/lists?${query}`);
    assert.deepEqual(
      data.map(({ attributes }) => Object.keys(attributes)),
      [['name']],
    );
    assert.ok(links.next !== null);
  }
});

test('links are percent-encoded whatever the request was, and lead to the next page', async (t) => {
  const sandbox = await sandboxFor(t);
  const path = '/api/lists?filter=any(name,["Single","Double"])&page[size]=1';
  const { data, links } = await get<{
    data: { id: string }[];
    links: { self: string; next: string; prev: null };
  }>(sandbox, path);
  const encoded = '?filter=any%28name%2C%5B%22Single%22%2C%22Double%22%5D%29&page%5Bsize%5D=1';
  assert.equal(links.self, `${sandbox.url}/api/lists${encoded}`);
  assert.ok(links.next.startsWith(`${links.self}&page%5Bcursor%5D=`));
  assert.equal(links.prev, null);
  const rest = await get(sandbox, links.next);
  assert.deepEqual([...data, ...rest.data].map(({ id }) => id).sort(), ['Double', 'Single']);
  assert.equal(rest.links.next, null);
});
