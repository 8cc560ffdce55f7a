import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { importInto, jobOf } from './import-support.js';
import {
  call,
  get,
  HOUR,
  IMPORT,
  refusal,
  sandboxFor,
  type PageBody,
  type Resource,
} from '../support.js';

const DAY = 24 * HOUR;
const rows = Array.from({ length: 5 }, (_, i) => ({ email: `p${i}@shop.test` }));

async function imported(t: TestContext) {
  const sandbox = await sandboxFor(t);
  const id = await jobOf(sandbox, 'Single', rows);
  sandbox.account.advance(HOUR);
  return { sandbox, id, path: `${IMPORT}/${id}` };
}

test('a job is queued, then processing while its counts grow, then complete', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await jobOf(sandbox, 'Single', rows);
  const seen = new Set<string>();
  let done = 0;
  for (let minute = 0; minute <= 21; minute++) {
    sandbox.account.advance(60_000);
    const { attributes } = (await get<{ data: Resource }>(sandbox, `${IMPORT}/${id}`)).data;
    const status = String(attributes['status']);
    const completed = Number(attributes['completed_count']);
    assert.ok(completed >= done);
    assert.equal(attributes['started_at'] === null, status === 'queued');
    assert.equal(attributes['completed_at'] === null, status !== 'complete');
    assert.equal(completed === rows.length, status === 'complete');
    done = completed;
    seen.add(status);
  }
  assert.deepEqual([...seen].slice(-2), ['processing', 'complete']);
});

test('a new job is answered as recorded: queued, with its lists and the URL of the call', async (t) => {
  const sandbox = await sandboxFor(t);
  const accepted = await importInto(sandbox, 'Single', [rows[0]!]);
  const { data, links } = (await accepted.json()) as {
    data: Resource & { relationships: Record<string, { data?: unknown; links: object }> };
    links: object;
  };
  assert.deepEqual(links, { self: `${sandbox.url}${IMPORT}` });
  assert.equal(data.attributes['status'], 'queued');
  assert.equal(data.attributes['started_at'], null);
  assert.match(
    Buffer.from(data.id, 'base64url').toString(),
    /^SbxAcc_maintenance\.\w{6}\.\d{10}\.\w{6}$/,
  );
  const { lists, profiles, 'import-errors': errors } = data.relationships;
  assert.deepEqual(lists?.data, [{ type: 'list', id: 'Single' }]);
  assert.equal(profiles?.data, undefined);
  assert.deepEqual(Object.keys(errors!.links), ['related']);
  const { created_at, expires_at } = data.attributes as Record<string, string>;
  assert.equal(Date.parse(expires_at!) - Date.parse(created_at!), 7 * DAY);
});

test('profiles of a job are returned in the order of the request, page by page, each once', async (t) => {
  const sandbox = await sandboxFor(t);
  sandbox.account.seed({ email: rows[3]!.email });
  const id = await jobOf(sandbox, 'Single', [...rows, rows[1]!]);
  sandbox.account.advance(HOUR);
  const emails: unknown[] = [];
  let pages = 0;
  for (
    let next: string | null = `${IMPORT}/${id}/profiles?page[size]=2&fields[profile]=email`;
    next !== null;
    pages++
  ) {
    const page: PageBody = await get(sandbox, next);
    emails.push(...page.data.map(({ attributes }) => attributes['email']));
    next = page.links.next;
  }
  assert.deepEqual(
    emails,
    rows.map(({ email }) => email),
  );
  assert.equal(pages, 3);
  const ids = await get(sandbox, `${IMPORT}/${id}/relationships/profiles?page[size]=100`);
  assert.deepEqual(
    ids.data.map(({ id: profile }) => profile),
    rows.map((who) => sandbox.account.truthFor(who)!.id),
  );
  assert.equal(ids.links.next, null);
});

test('a page of profiles stays stable while the job goes on', async (t) => {
  const sandbox = await sandboxFor(t);
  const id = await jobOf(sandbox, 'Single', rows);
  const path = `${IMPORT}/${id}/relationships/profiles`;
  assert.deepEqual((await get(sandbox, path)).data, []);
  let before: string[] = [];
  for (let minute = 0; minute <= 21; minute++) {
    sandbox.account.advance(60_000);
    const now = (await get(sandbox, path)).data.map(({ id: profile }) => profile);
    assert.deepEqual(
      now.filter((profile) => before.includes(profile)),
      before,
    );
    before = now;
  }
  assert.equal(before.length, rows.length);
});

test('rows that cannot be carried out become import errors, page by page', async (t) => {
  const sandbox = await sandboxFor(t, { filteredDomains: ['nobody.test'] });
  sandbox.account.seed({ email: 'a@shop.test' });
  sandbox.account.seed({ phone_number: '+12025550123' });
  const both = { email: 'a@shop.test', phone_number: '+12025550123', first_name: 'Ada' };
  const id = await jobOf(sandbox, 'Single', [rows[0]!, both, { email: 'x@nobody.test' }]);
  sandbox.account.advance(HOUR);
  const { attributes } = (await get<{ data: Resource }>(sandbox, `${IMPORT}/${id}`)).data;
  const { status, total_count, completed_count, failed_count } = attributes;
  assert.deepEqual([status, total_count, completed_count, failed_count], ['complete', 3, 1, 2]);
  const found: Resource['attributes'][] = [];
  for (let next: string | null = `${IMPORT}/${id}/import-errors?page[size]=1`; next !== null;) {
    const page: PageBody = await get(sandbox, next);
    assert.equal(page.data.length, 1);
    found.push(...page.data.map((error) => error.attributes));
    next = page.links.next;
  }
  const at = (row: number) => ({ pointer: `/data/attributes/profiles/data/${row}/attributes` });
  const duplicate = found.find(({ code }) => code === 'duplicate_profile');
  assert.deepEqual(duplicate, {
    code: 'duplicate_profile',
    title: 'Conflict.',
    detail: 'A profile already exists with one of these identifiers.',
    source: at(1),
    original_payload: both,
  });
  const filtered = found.find(({ code }) => code === 'invalid');
  assert.deepEqual(filtered?.['source'], { pointer: `${at(2).pointer}/email` });
  assert.equal(found.length, 2);
  assert.equal(sandbox.account.truthFor({ email: 'a@shop.test' })?.phone_number, null);
  assert.equal(sandbox.account.truthFor({ email: 'a@shop.test' })?.lists.length, 0);
  assert.equal(sandbox.account.truthFor({ email: 'x@nobody.test' }), undefined);
});

test('includes its lists on request, and always names them', async (t) => {
  const { sandbox, path } = await imported(t);
  const { data, included } = await get<{ data: Resource; included: Resource[] }>(
    sandbox,
    `${path}?include=lists&fields[list]=name&fields[profile-bulk-import-job]=status`,
  );
  assert.deepEqual(data.attributes, { status: 'complete' });
  assert.deepEqual(
    included.map(({ id, attributes }) => [id, attributes]),
    [['Single', { name: 'Single' }]],
  );
  assert.equal('included' in (await get<object>(sandbox, path)), false);
  const ids = await get<{ data: unknown }>(sandbox, `${path}/relationships/lists`);
  assert.deepEqual(ids.data, [{ type: 'list', id: 'Single' }]);
});

test('jobs are filtered by status and sorted by date', async (t) => {
  const { sandbox, id } = await imported(t);
  const queued = await jobOf(sandbox, 'Double', [{ email: 'late@shop.test' }]);
  const idsOf = async (query: string) =>
    (await get(sandbox, `${IMPORT}?${query}`)).data.map((job) => job.id);
  assert.deepEqual(await idsOf('filter=equals(status,"complete")'), [id]);
  assert.deepEqual(await idsOf('filter=any(status,["queued","processing"])'), [queued]);
  assert.deepEqual(await idsOf('sort=created_at'), [id, queued]);
  assert.deepEqual(await idsOf('sort=-created_at'), [queued, id]);
  const { status } = await call(sandbox, 'GET', `${IMPORT}?filter=equals(status,"cancelled")`);
  assert.equal(status, 400);
});

test('a job expires after seven days', async (t) => {
  const { sandbox, path } = await imported(t);
  sandbox.account.advance(7 * DAY - 2 * HOUR);
  assert.equal((await get(sandbox, IMPORT)).data.length, 1);
  sandbox.account.advance(2 * HOUR);
  assert.deepEqual((await get(sandbox, IMPORT)).data, []);
  for (const part of [
    '',
    '/import-errors',
    '/profiles',
    '/relationships/profiles',
    '/relationships/lists',
  ]) {
    const gone = await refusal(await call(sandbox, 'GET', `${path}${part}`));
    assert.deepEqual(gone, { status: 404, errors: [['/data/', 'Invalid job id']] }, part);
  }
});

test('a deleted profile is no longer among those of the job', async (t) => {
  const { sandbox, path } = await imported(t);
  const { profiles } = sandbox.account;
  profiles.remove(profiles.withEmail(rows[2]!.email)!);
  const page = await get(sandbox, `${path}/profiles`);
  assert.deepEqual(
    page.data.map(({ attributes }) => attributes['email']),
    [0, 1, 3, 4].map((i) => rows[i]!.email),
  );
});

test('a list that was deleted in the meantime gets no members', async (t) => {
  const sandbox = await sandboxFor(t);
  await jobOf(sandbox, 'Single', [rows[0]!]);
  assert.equal((await call(sandbox, 'DELETE', '/api/lists/Single')).status, 204);
  sandbox.account.advance(HOUR);
  assert.deepEqual(sandbox.account.truthFor(rows[0]!)?.lists, []);
});
