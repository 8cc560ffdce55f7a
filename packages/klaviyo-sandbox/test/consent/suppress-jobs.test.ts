import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { call, get, HOUR, refusal, sandboxFor } from '../support.js';
import { profile } from './consent-support.js';

const SUPPRESS = '/api/profile-suppression-bulk-create-jobs';
const UNSUPPRESS = '/api/profile-suppression-bulk-delete-jobs';
const email = 'ada@shop.test';

interface Job {
  id: string;
  type: string;
  attributes: Record<string, unknown>;
  relationships: Record<string, { data?: unknown; links: Record<string, string> }>;
}

function start(
  sandbox: Sandbox,
  path: string,
  { emails, list, segment }: { emails?: string[]; list?: string; segment?: string },
) {
  const relation = (type: string, id?: string) =>
    id === undefined ? {} : { [type]: { data: { type, id } } };
  return call(sandbox, 'POST', path, {
    data: {
      type: path.slice('/api/'.length, -1),
      attributes:
        emails === undefined
          ? {}
          : { profiles: { data: emails.map((address) => profile({ email: address })) } },
      relationships: { ...relation('list', list), ...relation('segment', segment) },
    },
  });
}

async function started(...[sandbox, path, target]: Parameters<typeof start>): Promise<Job> {
  const response = await start(sandbox, path, target);
  const { data } = (await response.json()) as { data: Job };
  assert.equal(response.status, 202);
  return data;
}

const read = async (sandbox: Sandbox, path: string, id: string) =>
  (await get<{ data: Job }>(sandbox, `${path}/${id}`)).data;

for (const path of [SUPPRESS, UNSUPPRESS]) {
  const type = path.slice('/api/'.length, -1);

  test(`answers a ${type} with a job that seems complete before it counted anything`, async (t) => {
    const sandbox = await sandboxFor(t);
    const response = await start(sandbox, path, { emails: [email] });
    assert.equal(response.status, 202);
    const { data, links } = (await response.json()) as { data: Job; links: { self: string } };
    const { created_at } = data.attributes;
    assert.deepEqual(data.attributes, {
      status: 'processing',
      created_at,
      total_count: 0,
      completed_count: 0,
      completed_at: created_at,
      skipped_count: 0,
    });
    const self = `${sandbox.url}${path}/${data.id}/`;
    const related = (name: string) => ({
      links: { self: `${self}relationships/${name}/`, related: `${self}${name}/` },
    });
    assert.deepEqual(data.relationships, {
      lists: related('lists'),
      segments: related('segments'),
    });
    assert.equal(data.type, type);
    assert.equal(links.self, `${sandbox.url}${path}`);
  });

  test(`a ${type} stays in progress and reports that it skipped everybody, even when it is done`, async (t) => {
    const sandbox = await sandboxFor(t);
    sandbox.account.seed({ email, suppressions: ['USER_SUPPRESSED'] });
    const { id } = await started(sandbox, path, { emails: [email, 'bea@shop.test'] });
    for (const hours of [0, 24]) {
      sandbox.account.advance(hours * HOUR);
      const { status, total_count, completed_count, skipped_count, completed_at } = (
        await read(sandbox, path, id)
      ).attributes;
      assert.deepEqual(
        [status, total_count, completed_count, skipped_count],
        ['processing', 2, 0, 2],
      );
      assert.notEqual(completed_at, null);
    }
  });

  test(`refuses a ${type} without exactly one kind of target`, async (t) => {
    const sandbox = await sandboxFor(t, { segments: [{ id: 'Vip', name: 'Vip' }] });
    const targets = [
      {},
      { emails: [email], list: 'Single' },
      { list: 'Single', segment: 'Vip' },
      { emails: [email], list: 'Single', segment: 'Vip' },
    ];
    for (const target of targets) {
      const { status, errors } = await refusal(await start(sandbox, path, target));
      assert.deepEqual([status, errors[0]![0]], [400, '/data']);
      assert.match(errors[0]![1]!, /^Exactly one of/);
    }
  });
}

test('an honest job counts what it does and ends', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { suppressionJobStatus: 'honest' } });
  sandbox.account.seed({ email });
  sandbox.account.seed({ email: 'bea@shop.test', suppressions: ['USER_SUPPRESSED'] });
  const emails = [email, 'bea@shop.test', 'carl@shop.test'];
  const { id } = await started(sandbox, SUPPRESS, { emails });
  const early = (await read(sandbox, SUPPRESS, id)).attributes;
  assert.deepEqual(
    [early['status'], early['total_count'], early['completed_count'], early['completed_at']],
    ['processing', 3, 0, null],
  );
  sandbox.account.advance(24 * HOUR);
  const { status, completed_count, skipped_count, completed_at } = (
    await read(sandbox, SUPPRESS, id)
  ).attributes;
  assert.deepEqual([status, completed_count, skipped_count], ['complete', 3, 1]);
  assert.equal(typeof completed_at, 'string');
});

test('an honest job of a deleted list is cancelled, one of an empty list is complete', async (t) => {
  const sandbox = await sandboxFor(t, { switches: { suppressionJobStatus: 'honest' } });
  const gone = await started(sandbox, SUPPRESS, { list: 'Single' });
  const empty = await started(sandbox, SUPPRESS, { list: 'Double' });
  sandbox.account.lists.remove('Single');
  sandbox.account.advance(24 * HOUR);
  assert.equal((await read(sandbox, SUPPRESS, gone.id)).attributes['status'], 'cancelled');
  assert.equal((await read(sandbox, SUPPRESS, empty.id)).attributes['status'], 'complete');
});

test('shows the list or segment of a job and finds jobs by it', async (t) => {
  const sandbox = await sandboxFor(t, { segments: [{ id: 'Vip', name: 'Vip' }] });
  const ofEmails = await started(sandbox, SUPPRESS, { emails: [email] });
  const ofList = await started(sandbox, SUPPRESS, { list: 'Single' });
  const ofSegment = await started(sandbox, SUPPRESS, { segment: 'Vip' });
  const list = await read(sandbox, SUPPRESS, ofList.id);
  assert.deepEqual(list.relationships['lists']?.data, [{ type: 'list', id: 'Single' }]);
  assert.equal(list.relationships['segments']?.data, undefined);
  const segment = await read(sandbox, SUPPRESS, ofSegment.id);
  assert.deepEqual(segment.relationships['segments']?.data, [{ type: 'segment', id: 'Vip' }]);

  const found = async (filter: string) =>
    (await get<{ data: Job[] }>(sandbox, `${SUPPRESS}?filter=${filter}`)).data.map(({ id }) => id);
  assert.deepEqual(await found('equals(list_id,"Single")'), [ofList.id]);
  assert.deepEqual(await found('equals(segment_id,"Vip")'), [ofSegment.id]);
  assert.deepEqual(await found('equals(status,"complete")'), []);
  assert.deepEqual(
    (await found('equals(status,"processing")')).sort(),
    [ofEmails.id, ofList.id, ofSegment.id].sort(),
  );
  const { status } = await call(sandbox, 'GET', `${SUPPRESS}?filter=equals(status,"done")`);
  assert.equal(status, 400);
});

test('lists the newest job first, the oldest with sort=created, page by page', async (t) => {
  const sandbox = await sandboxFor(t);
  const ids: string[] = [];
  for (let i = 0; i < 130; i++) {
    ids.push(sandbox.account.suppressing.accept('suppress', { emails: [`p${i}@shop.test`] }).id);
  }
  await started(sandbox, UNSUPPRESS, { emails: [email] });
  const pages = async (query: string) => {
    const found: string[][] = [];
    for (let path: string | null = `${SUPPRESS}?${query}`; path !== null;) {
      const page: { data: Job[]; links: { next: string | null } } = await get(sandbox, path);
      found.push(page.data.map(({ id }) => id));
      path = page.links.next;
    }
    return found;
  };
  const oldest = await pages('sort=created');
  assert.deepEqual(
    oldest.map(({ length }) => length),
    [100, 30],
  );
  assert.deepEqual(oldest.flat().sort(), [...ids].sort());
  assert.deepEqual((await pages('')).flat(), oldest.flat().toReversed());
  const created = (await get<{ data: Job[] }>(sandbox, SUPPRESS)).data.map(
    ({ attributes }) => attributes['created_at'] as string,
  );
  assert.deepEqual(created, [...created].sort().toReversed());
});

test('returns only the requested fields of a job', async (t) => {
  const sandbox = await sandboxFor(t);
  const { id, type } = await started(sandbox, SUPPRESS, { emails: [email] });
  const { data } = await get<{ data: Job }>(sandbox, `${SUPPRESS}/${id}?fields[${type}]=status`);
  assert.deepEqual(data.attributes, { status: 'processing' });
});

test('finds each job only under its own kind', async (t) => {
  const sandbox = await sandboxFor(t);
  const { id } = await started(sandbox, SUPPRESS, { emails: [email] });
  for (const path of [`${UNSUPPRESS}/${id}`, `${SUPPRESS}/nothing`]) {
    assert.equal((await call(sandbox, 'GET', path)).status, 404);
  }
});

const ROWS = '/data/attributes/profiles/data';
const REFUSED: [string, unknown[] | undefined, string][] = [
  ['101 e-mails', Array.from({ length: 101 }, (_, i) => ({ email: `p${i}@shop.test` })), ROWS],
  ['no e-mails', [], ROWS],
  ['a phone', [{ phone_number: '+12015550123' }], `${ROWS}/0/attributes/phone_number`],
  ['a row without an e-mail', [{}], `${ROWS}/0/attributes/email`],
  ['an e-mail that is a number', [{ email: 5 }], `${ROWS}/0/attributes/email`],
  ['a malformed e-mail', [{ email }, { email: 'ada' }], `${ROWS}/1/attributes/email`],
];
for (const [name, rows, pointer] of REFUSED) {
  test(`refuses to suppress ${name}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const response = await call(sandbox, 'POST', SUPPRESS, {
      data: {
        type: 'profile-suppression-bulk-create-job',
        attributes: {
          profiles: { data: rows?.map((attributes) => profile(attributes as object)) },
        },
      },
    });
    const { status, errors } = await refusal(response);
    assert.deepEqual([status, errors.map(([at]) => at)], [400, [pointer]]);
    sandbox.account.advance(24 * HOUR);
    assert.equal(sandbox.account.profiles.size, 0);
    assert.deepEqual((await get(sandbox, SUPPRESS)).data, []);
  });
}

for (const [target, pointer] of [
  [{ list: 'Nowhere' }, '/data/relationships/list/data/id'],
  [{ segment: 'Nowhere' }, '/data/relationships/segment/data/id'],
] as const) {
  test(`refuses to suppress an unknown ${Object.keys(target)[0]}`, async (t) => {
    const sandbox = await sandboxFor(t);
    const { status, errors } = await refusal(await start(sandbox, SUPPRESS, target));
    assert.deepEqual([status, errors[0]![0]], [400, pointer]);
  });
}
