import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSpecifications, SPECIFICATION_MISSING } from '../specification.js';
import { Contract } from './contract.js';
import { answersOf, ERROR_ANSWERS } from './error-answers.js';
import type { LoggedExchange } from './exchange-files.js';

const specifications = readSpecifications();
const skip = specifications === undefined ? SPECIFICATION_MISSING : false;

const JSON_API = { 'content-type': 'application/vnd.api+json' };
const SELF = { self: 'http://127.0.0.1/api/lists/Single/' };

function exchange(changes: Partial<LoggedExchange>): LoggedExchange {
  return {
    operation: 'get_lists',
    method: 'GET',
    path: '/api/lists',
    query: [],
    request_body: null,
    status: 200,
    response_headers: JSON_API,
    response_body: page(list()),
    fault: null,
    ...changes,
  };
}

const list = (attributes: Record<string, unknown> = {}) => ({
  type: 'list',
  id: 'Single',
  attributes: {
    name: 'Single',
    created: '2024-01-01T00:00:00+00:00',
    updated: '2024-01-01T00:00:00+00:00',
    opt_in_process: 'single_opt_in',
    ...attributes,
  },
  relationships: {},
  links: SELF,
});
const page = (...data: unknown[]) => ({ data, links: { ...SELF, next: null, prev: null } });
const thin = { ...list(), type: 'segment', attributes: { name: 'Single' } };
const SEGMENTS = { operation: 'get_segments', response_body: page(thin) };
const refusal = (entry: object) => ({
  errors: [{ id: 'x', status: 400, code: 'invalid', title: 'T', detail: 'D', ...entry }],
});
const subscribeBody = (attributes: object) => ({
  data: { type: 'profile-subscription-bulk-create-job', attributes },
});
const accepted = (request_body: unknown): Partial<LoggedExchange> => ({
  operation: 'bulk_subscribe_profiles',
  method: 'POST',
  request_body,
  status: 202,
  response_headers: {},
  response_body: null,
});

const NEWER = { request_headers: { revision: '2026-10-15' } };
const HINTED = { ...page(list()), meta: { agent_hints: { next_steps: ['Read it.'] } } };
const clicks = (consent: object) =>
  subscribeBody({
    profiles: {
      data: [
        {
          type: 'profile',
          attributes: {
            email: 'a@shop.test',
            subscriptions: { email: { click_tracking: consent } },
          },
        },
      ],
    },
  });

const FINE: [string, Partial<LoggedExchange>][] = [
  ['a page', {}],
  ['a page thinned out by fields', { ...SEGMENTS, query: [['fields[segment]', 'name']] }],
  ['an error', { status: 400, response_body: refusal({ source: {}, links: {}, meta: { a: 1 } }) }],
  ['a proxy’s page by a fault', { status: 502, fault: '502', response_headers: {} }],
  ['a cut line', { status: null, response_body: null }],
  ['HEAD', { method: 'HEAD', response_body: null }],
  ['hints for agents', { response_body: HINTED }],
  [
    'click tracking in the newer revision',
    { ...accepted(clicks({ consent: 'SUBSCRIBED' })), ...NEWER },
  ],
  ['a request', accepted(subscribeBody({ profiles: { data: [] } }))],
];
const VIOLATIONS: [string, Partial<LoggedExchange>, RegExp][] = [
  [
    'click tracking in the older revision',
    accepted(clicks({ consent: 'SUBSCRIBED' })),
    /accepted a request.+"click_tracking"/,
  ],
  [
    'another value for click tracking in the newer one',
    { ...accepted(clicks({ consent: 'UNSUBSCRIBED' })), ...NEWER },
    /accepted a request.+consent/,
  ],
  [
    'an operation that is no beta any more',
    { ...NEWER, operation: 'get_text_messaging_senders_beta' },
    /no operation/,
  ],
  ['an unknown operation', { operation: 'get_nothing' }, /no operation get_nothing/],
  ['an unknown attribute', { response_body: page(list({ size: 3 })) }, /additional.+"size"/],
  ['a missing attribute', SEGMENTS, /required property 'is_active'/],
  [
    'an attribute missing although another type was thinned out',
    { ...SEGMENTS, query: [['fields[tag]', 'name']] },
    /required property 'is_active'/,
  ],
  ['a wrong type', { response_body: page(list({ name: 3 })) }, /name must be string/],
  ['an invalid date', { response_body: page(list({ created: 'now' })) }, /format "date-time"/],
  ['an unknown member of the document', { response_body: { ...page(), total: 1 } }, /"total"/],
  ['another status', { status: 201 }, /not a specified status/],
  ['another content type', { response_headers: { 'content-type': 'text/html' } }, /content-type/],
  ['an unknown parameter', { query: [['limit', '5']] }, /unknown query parameter limit/],
  ['a value out of its enum', { query: [['sort', 'size']] }, /sort=size.+enum/],
  ['a page out of its range', { query: [['page[size]', '11']] }, /page\[size\]=11.+range/],
  [
    'a body where none is specified',
    { ...accepted(subscribeBody({ profiles: { data: [] } })), response_body: {} },
    /no body/,
  ],
  ['an incomplete request', accepted(subscribeBody({})), /accepted a request.+required.+profiles/],
  [
    'a request with an unknown member',
    accepted(subscribeBody({ profiles: { data: [] }, source: 'x' })),
    /accepted a request.+"source"/,
  ],
  ['an error without a detail', { status: 400, response_body: refusal({ detail: '' }) }, /detail/],
  [
    'an error of another status',
    { status: 404, response_body: refusal({}) },
    /tells the status 400/,
  ],
  ['an unknown member of an error', { status: 400, response_body: refusal({ hint: 1 }) }, /hint/],
  ['an error that is no JSON', { status: 500, response_headers: {} }, /an error must be/],
];

describe('the contract', { skip }, () => {
  const contract = new Contract(specifications ?? []);
  for (const [name, changes] of FINE) {
    it(`accepts ${name}`, () => {
      assert.deepEqual(contract.violations(exchange(changes)), []);
    });
  }
  for (const [name, changes, violation] of VIOLATIONS) {
    it(`finds ${name}`, () => {
      assert.match(contract.violations(exchange(changes)).join('\n'), violation);
    });
  }
});

describe('the table of error answers', () => {
  it('lists each answer once', () => {
    const ids = ERROR_ANSWERS.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
  });

  it('recognises an answer by its status, wording and pointer', () => {
    const entry = {
      title: 'Invalid input.',
      detail: 'Invalid filter provided',
      source: { parameter: 'filter' },
    };
    const bad = { status: 400, response_body: refusal(entry) };
    assert.deepEqual(answersOf(exchange(bad)), ['malformed filter']);
    assert.deepEqual(answersOf(exchange({ ...bad, status: 404 })), []);
    const elsewhere = refusal({ ...entry, source: { parameter: 'sort' } });
    assert.deepEqual(answersOf(exchange({ ...bad, response_body: elsewhere })), []);
  });
});
