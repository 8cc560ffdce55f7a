import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { Sandbox, Switches } from '../../src/index.js';
import { call, HOUR, refusal, sandboxFor, type Resource } from '../support.js';

const JOBS = '/api/profile-bulk-export-jobs';

async function withPeople(t: TestContext, switches: Partial<Switches> = {}): Promise<Sandbox> {
  const sandbox = await sandboxFor(t, {
    switches: { bulkExport: 'allowed', ...switches },
    segments: [{ id: 'Fans', name: 'Fans', where: { property: 'fan', equals: true } }],
  });
  const consented = '2024-02-03T04:05:06Z';
  sandbox.account.seed({
    email: 'ada@shop.test',
    phone_number: '+12015550123',
    first_name: 'Ada "A", the first',
    properties: { 'shoe size': 38, fan: true, likes: ['tea', 'rain'] },
    email_consent: 'SUBSCRIBED',
    consent_timestamp: consented,
    lists: ['Single'],
  });
  sandbox.account.seed({
    email: 'ben@shop.test',
    email_consent: 'UNSUBSCRIBED',
    consent_timestamp: consented,
    lists: ['Single'],
  });
  sandbox.account.seed({ email: 'cleo@shop.test' });
  return sandbox;
}

const beta = (sandbox: Sandbox, method: string, path: string, body?: unknown) =>
  call(sandbox, method, path, body, { revision: '2026-07-15.pre' });

const jobBody = (groups: Record<string, string>, properties?: unknown) => ({
  data: {
    type: 'profile-bulk-export-job',
    attributes: properties === undefined ? {} : { properties },
    relationships: Object.fromEntries(
      Object.entries(groups).map(([type, id]) => [type, { data: { type, id } }]),
    ),
  },
});

async function start(
  sandbox: Sandbox,
  groups: Record<string, string>,
  properties?: unknown,
): Promise<Resource> {
  const response = await beta(sandbox, 'POST', JOBS, jobBody(groups, properties));
  assert.equal(response.status, 201);
  return ((await response.json()) as { data: Resource }).data;
}

async function jobOf(sandbox: Sandbox, id: string): Promise<Resource['attributes']> {
  const response = await beta(sandbox, 'GET', `${JOBS}/${id}`);
  assert.equal(response.status, 200);
  return ((await response.json()) as { data: Resource }).data.attributes;
}

async function rowsOf(sandbox: Sandbox, id: string): Promise<Record<string, string>[]> {
  const response = await beta(sandbox, 'GET', `${JOBS}/${id}/download`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/gzip');
  return parse(gunzipSync(Buffer.from(await response.arrayBuffer())), { columns: true });
}

test('is refused for keys that were not invited', async (t) => {
  const sandbox = await withPeople(t, { bulkExport: 'refused' });
  for (const answer of [
    await beta(sandbox, 'POST', JOBS, jobBody({ list: 'Single' })),
    await beta(sandbox, 'GET', `${JOBS}/x`),
    await beta(sandbox, 'GET', `${JOBS}/x/download`),
  ]) {
    assert.equal(answer.status, 403);
  }
});

test('a list is exported to a file after a delay', async (t) => {
  const sandbox = await withPeople(t);
  const job = await start(sandbox, { list: 'Single' });
  assert.equal(job.attributes['status'], 'processing');
  assert.deepEqual(await jobOf(sandbox, job.id), {
    status: 'processing',
    result: null,
    error: null,
  });
  const early = await refusal(await beta(sandbox, 'GET', `${JOBS}/${job.id}/download`));
  assert.equal(early.status, 404);
  sandbox.account.advance(HOUR);
  const done = await jobOf(sandbox, job.id);
  assert.equal(done['status'], 'complete');
  const { expires_at: expires } = done['result'] as { expires_at: string };
  assert.ok(Date.parse(expires) > Date.now());
  const rows = await rowsOf(sandbox, job.id);
  assert.deepEqual(
    rows.map((row) => [
      row['email'],
      row['first_name'],
      row['joined_group_at'],
      row['subscriptions.email.marketing.consent'],
      row['subscriptions.email.marketing.can_receive_email_marketing'],
    ]),
    [
      ['ada@shop.test', 'Ada "A", the first', '2024-02-03T04:05:06+00:00', 'SUBSCRIBED', 'true'],
      ['ben@shop.test', '', '2024-02-03T04:05:06+00:00', 'UNSUBSCRIBED', 'false'],
    ],
  );
});

test('has the requested properties, then consent', async (t) => {
  const sandbox = await withPeople(t);
  const names = ['email', "properties['shoe size']", 'properties["likes"]', 'location.city'];
  const job = await start(sandbox, { segment: 'Fans' }, names);
  sandbox.account.advance(HOUR);
  const [row, ...others] = await rowsOf(sandbox, job.id);
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(row!).slice(0, 5), [
    ...names,
    'subscriptions.email.marketing.can_receive_email_marketing',
  ]);
  assert.deepEqual(Object.values(row!).slice(0, 4), ['ada@shop.test', '38', '["tea","rain"]', '']);
});

test('fails if the list is deleted before it runs', async (t) => {
  const sandbox = await withPeople(t);
  const job = await start(sandbox, { list: 'Single' });
  sandbox.account.lists.remove('Single');
  sandbox.account.advance(HOUR);
  const failed = await jobOf(sandbox, job.id);
  assert.equal(failed['status'], 'failed');
  assert.match(failed['error'] as string, /Single/);
  assert.equal((await beta(sandbox, 'GET', `${JOBS}/${job.id}/download`)).status, 404);
});

test('expires', async (t) => {
  const sandbox = await withPeople(t);
  const job = await start(sandbox, { list: 'Single' });
  sandbox.account.advance(HOUR);
  sandbox.account.advance(24 * HOUR);
  assert.deepEqual(await jobOf(sandbox, job.id), { status: 'expired', result: null, error: null });
  assert.equal((await beta(sandbox, 'GET', `${JOBS}/${job.id}/download`)).status, 410);
});

test('a large list is written in turns, and completely', async (t) => {
  const sandbox = await withPeople(t);
  for (let i = 0; i < 1_300; i++) {
    sandbox.account.seed({ email: `p${i}@shop.test`, lists: ['Double'] });
  }
  const job = await start(sandbox, { list: 'Double' }, ['email']);
  sandbox.account.advance(HOUR);
  while (sandbox.account.exporting.job(job.id)?.status === 'processing') await nextTurn();
  const rows = await rowsOf(sandbox, job.id);
  assert.equal(new Set(rows.map(({ email }) => email)).size, 1_300);
});

test('the download can be a document with a link to the file', async (t) => {
  const sandbox = await withPeople(t, { exportDownload: 'link' });
  const job = await start(sandbox, { list: 'Single' });
  sandbox.account.advance(HOUR);
  const response = await beta(sandbox, 'GET', `${JOBS}/${job.id}/download`);
  const { data } = (await response.json()) as { data: { type: string; links: { self: string } } };
  assert.equal(data.type, 'download');
  const file = await fetch(data.links.self);
  const text = gunzipSync(Buffer.from(await file.arrayBuffer())).toString();
  assert.match(text, /ada@shop\.test/);
});

const BAD: [string, unknown, string][] = [
  ['no group', jobBody({}), '/data/relationships'],
  ['list and segment', jobBody({ list: 'Single', segment: 'Fans' }), '/data/relationships'],
  ['an unknown list', jobBody({ list: 'XYZ' }), '/data/relationships/list/data/id'],
  ['an unknown segment', jobBody({ segment: 'XYZ' }), '/data/relationships/segment/data/id'],
  [
    'properties that are not a list',
    jobBody({ list: 'Single' }, 'email'),
    '/data/attributes/properties',
  ],
  [
    'an unknown property',
    jobBody({ list: 'Single' }, ['email', 'shoe size']),
    '/data/attributes/properties/1',
  ],
];
for (const [name, body, pointer] of BAD) {
  test(`refuses ${name}`, async (t) => {
    const sandbox = await withPeople(t);
    const { status, errors } = await refusal(await beta(sandbox, 'POST', JOBS, body));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
  });
}

test('an unknown job is not found', async (t) => {
  const sandbox = await withPeople(t);
  assert.equal((await beta(sandbox, 'GET', `${JOBS}/x`)).status, 404);
  assert.equal((await beta(sandbox, 'GET', `${JOBS}/x/download`)).status, 404);
});
