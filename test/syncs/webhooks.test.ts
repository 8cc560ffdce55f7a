import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Connection } from '@temporalio/client';
import { populate, type TruthLine } from 'klaviyo-sandbox';
import { sql } from 'kysely';
import { workflowIds } from '../../src/contracts/names.js';
import { listSyncs, pruneWebhookEvents, syncRuns } from '../../src/ledger/index.js';
import { loadPrograms } from '../../src/starter/programs/load.js';
import { Reach } from '../../src/starter/reach.js';
import { triggerSchedule } from '../../src/starter/schedules.js';
import type { HookEvent } from '../../src/starter/webhooks/events.js';
import { HookServer } from '../../src/starter/webhooks/hook-server.js';
import { receive, type ListeningSync } from '../../src/starter/webhooks/receiver.js';
import { WantedRuns } from '../../src/starter/webhooks/wanted-runs.js';
import type { HookListener } from '../../src/starter/webhooks/webhooks.js';
import { statusOf } from '../runtime/http-ports.js';
import { testTemporal } from '../support/stack.js';
import { until } from '../workflows/phases.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const SECRET = 'the secret of the webhook';
const FORMER = 'the secret before that one';
const OTHER = 'the secret of another sync';
const URL_VARIABLE = `CONSENTRY_TEST_HOOKED_URL_${process.pid}`;
const SECRET_VARIABLE = `CONSENTRY_TEST_HOOK_SECRET_${process.pid}`;
const TOPIC = 'event:klaviyo.unsubscribed_from_email_marketing';
const PACE = { lookEveryMs: 50, gatherMs: 150, pauseMs: 300 };

interface Hook {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A request as Klaviyo makes it, of events with these ids. */
function hook(
  accountId: string,
  ids: readonly string[],
  { secret = SECRET, webhookId = 'HOOK1', meta = {} } = {},
): Hook {
  const body = JSON.stringify({
    data: ids.map((external_id) => ({ external_id, topic: TOPIC, payload: { data: {} } })),
    meta: { klaviyo_account_id: accountId, klaviyo_webhook_id: 'HOOK1', ...meta },
  });
  return signed(secret, body, 'Thu, 01 Oct 2026 07:00:00 GMT', webhookId);
}

function signed(secret: string, body: string, timestamp: string, webhookId = 'HOOK1'): Hook {
  const signature = createHmac('sha256', secret).update(`${body}${timestamp}`).digest('hex');
  const headers = {
    'Klaviyo-Signature': signature,
    'Klaviyo-Timestamp': timestamp,
    'Klaviyo-Webhook-Id': webhookId,
  };
  return { headers, body };
}

describe('webhooks of a synced account', { timeout: 120_000 }, () => {
  let world: SyncWorld;
  let folder: string;
  let listener: HookListener;
  /** What stands before the listener, as a proxy with a certificate does, and keeps what came. */
  let proxy: Server;
  const came: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const told: HookEvent[] = [];
  let subscribed: (TruthLine & { email: string })[];
  let events = 0;

  before(async () => {
    world = await startSyncWorld({ switches: { webhooks: 'allowed' } });
    const { account } = world.sandbox;
    await populate(account, { profiles: 60, user_suppressed_share: 0 });
    subscribed = [...account.truth()].filter(
      (line): line is TruthLine & { email: string } =>
        line.email !== null && line.subscriptions.email.marketing.can_receive_email_marketing,
    );
    // An account gets a metric with its first event.
    account.unsubscribe({ email: taken().email });
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    process.env[URL_VARIABLE] = world.url;
    process.env[SECRET_VARIABLE] = SECRET;
    await writeFile(join(folder, 'former'), `${FORMER}\n`);
    await writeFile(join(folder, 'other'), `${OTHER}\n`);
    const loaded = await load();
    const { syncs } = world.harness.consentry;
    for (const change of await syncs.changes(loaded)) await syncs.apply(change);
    for (const name of ['nightly', 'asked']) {
      await syncs.waitForEnd((await syncs.run(name)).workflowId);
    }
    listener = await listen(['nightly', 'asked']);
    proxy = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks);
        const { headers } = incoming;
        came.push({ headers, body });
        const { port } = listener;
        const on = { host: '127.0.0.1', port, path: '/klaviyo', method: 'POST', headers };
        const call = request(on, (answer) => {
          response.statusCode = answer.statusCode ?? 502;
          answer.resume();
          response.end();
        });
        call.on('error', () => response.destroy());
        call.end(body);
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });
  after(async () => {
    proxy.close();
    await listener.stop();
    delete process.env[URL_VARIABLE];
    delete process.env[SECRET_VARIABLE];
    await world.close();
    await rm(folder, { recursive: true });
  });

  const load = async () => {
    const path = join(folder, 'consentry.yaml');
    const lines = [
      'version: 1',
      'accounts:',
      `  shop: { id: ${world.harness.accountId} }`,
      'connections:',
      `  crm: { url: { env: ${URL_VARIABLE} } }`,
      'syncs:',
      '  nightly:',
      '    account: shop',
      '    to: { connection: crm, table: nightly }',
      '    every: 1h',
      `    webhooks: { secret: { env: ${SECRET_VARIABLE} }, former_secret: { file: former } }`,
      '  asked:',
      '    account: shop',
      '    to: { connection: crm, table: asked }',
      '    webhooks: { secret: { file: other } }',
      '  alone: { account: shop, to: { connection: crm, table: alone } }',
    ];
    await writeFile(path, lines.join('\n'));
    return loadPrograms(path);
  };
  const listen = async (names: readonly string[], pace = PACE) =>
    world.harness.consentry.webhooks.listen((await load()).file, names, {
      host: '127.0.0.1',
      port: 0,
      path: '/klaviyo',
      tell: (event) => void told.push(event),
      pace,
    });
  const taken = () => {
    const line = subscribed.pop();
    assert.ok(line !== undefined);
    return line;
  };
  const newIds = (count = 1) => Array.from({ length: count }, () => `event-${(events += 1)}`);
  const send = (
    { headers, body }: Hook,
    { port = listener.port, method = 'POST', path = '/klaviyo' } = {},
  ) => statusOf(port, path, { method, headers, body });
  /** From the ledger alone: a server that is busy takes seconds to describe a Schedule. */
  const statusOfSync = async (name = 'nightly') => {
    const { db } = world.harness.ledger;
    const found = (await listSyncs(db)).find((each) => each.name === name);
    assert.ok(found !== undefined);
    return { sync: found, runs: await syncRuns(db, found.id, 100) };
  };
  /** Runs of the sync so far, and whether one more is wanted or works. */
  const runs = async (name = 'nightly') => {
    const { sync, runs: all } = await statusOfSync(name);
    const { rows } = await sql<{ wanted: boolean }>`
      select since is not null as wanted from consentry.wanted_run where sync_id = ${sync.id}`.execute(
      world.harness.ledger.db,
    );
    const isWorking = all.some(({ finishedAt }) => finishedAt === null);
    return { count: all.length, isWanted: rows[0]?.wanted ?? false, isWorking };
  };
  const atRest = (name = 'nightly') =>
    until('the end of the runs', async () => {
      const { isWanted, isWorking } = await runs(name);
      return !isWanted && !isWorking;
    });
  const noticed = async () => {
    const { sync } = await statusOfSync();
    const handle = world.harness.client.schedule.getHandle(workflowIds.sync(sync.id));
    // Until the Schedule has noticed the end of a run, it skips another.
    await until('the end of the last run', async () => {
      const { info } = await handle.describe();
      return info.runningActions.length === 0;
    });
  };
  const sync = async (name = 'nightly'): Promise<ListeningSync> => {
    const { sync: found } = await statusOfSync(name);
    return { id: found.id, name, accountId: found.accountId, secrets: [SECRET] };
  };

  test('somebody who leaves may not be mailed soon after Klaviyo tells of it', async () => {
    const leaving = taken();
    const { port } = proxy.address() as AddressInfo;
    const topics = [{ type: 'webhook-topic', id: TOPIC }];
    const created = await fetch(`${world.sandbox.url}/api/webhooks`, {
      method: 'POST',
      headers: {
        authorization: `Klaviyo-API-Key ${world.sandbox.apiKey}`,
        revision: '2026-07-15',
        'content-type': 'application/vnd.api+json',
      },
      body: JSON.stringify({
        data: {
          type: 'webhook',
          attributes: {
            name: 'consent',
            endpoint_url: `http://127.0.0.1:${port}/klaviyo`,
            secret_key: SECRET,
          },
          relationships: { 'webhook-topics': { data: topics } },
        },
      }),
    });
    assert.equal(created.status, 201);
    world.sandbox.account.unsubscribe({ email: leaving.email });
    await until('the row', async () => {
      const [row] = await world.rows(
        'select may_send_email_marketing as may from nightly where profile_id = $1',
        [leaving.id],
      );
      return row?.['may'] === false;
    });
    await atRest();
    await world.assertTrue('nightly');
    const [last, ...earlier] = (await statusOfSync()).runs;
    assert.deepEqual([last?.whole, earlier.length], [null, 1]);
    // By the Schedule, whose runs have its time in their names.
    assert.notEqual(last?.workflowId, workflowIds.sync(last?.syncId ?? ''));
    assert.deepEqual(told, [
      { event: 'received', sync: 'nightly', events: 1, fresh: 1 },
      { event: 'started', sync: 'nightly', runId: last?.id },
    ]);
    assert.equal((await runs('asked')).count, 1);
  });

  test('what was sent once starts nothing when it is sent again', async () => {
    const [first] = came;
    assert.ok(first !== undefined);
    const headers = Object.fromEntries(
      Object.entries(first.headers).map(([name, value]) => [name, String(value)]),
    );
    const again = { headers, body: first.body.toString() };
    told.length = 0;
    assert.deepEqual(
      [await send(again), await send(again), (await runs()).isWanted],
      [200, 200, false],
    );
    const replayed = { event: 'received', sync: 'nightly', events: 1, fresh: 0 };
    assert.deepEqual(told, [replayed, replayed]);
  });

  test('what is not Klaviyo’s word about this account is refused, and starts nothing', async () => {
    const { accountId } = world.harness;
    const before = await runs();
    const id = newIds();
    const good = hook(accountId, id);
    const without = (name: string) => {
      const { [name]: _, ...headers } = good.headers;
      return { ...good, headers };
    };
    const cases: readonly (readonly [string, number, Promise<number | null>])[] = [
      ['no signature', 401, send(without('Klaviyo-Signature'))],
      ['no timestamp', 401, send(without('Klaviyo-Timestamp'))],
      ['no webhook', 401, send(without('Klaviyo-Webhook-Id'))],
      ['another secret', 401, send(hook(accountId, id, { secret: 'nobody knows this one' }))],
      [
        'an altered body',
        401,
        send({ ...good, body: good.body.replace(id[0] ?? '', 'event-of-mine') }),
      ],
      [
        'an altered timestamp',
        401,
        send({ ...good, headers: { ...good.headers, 'Klaviyo-Timestamp': 'now' } }),
      ],
      [
        'a signature that is none',
        401,
        send({ ...good, headers: { ...good.headers, 'Klaviyo-Signature': 'ff' } }),
      ],
      ['another account', 403, send(hook('OTHER1', id))],
      ['another webhook', 403, send(hook(accountId, id, { webhookId: 'HOOK2' }))],
      ['no JSON', 400, send(signed(SECRET, 'not JSON', 'now'))],
      ['JSON of another form', 400, send(signed(SECRET, '{"data":[{}],"meta":{}}', 'now'))],
      ['no JSON without a signature', 401, send({ headers: {}, body: 'not JSON' })],
      // The signature does not say where the body ends.
      [
        'a byte moved from the timestamp',
        400,
        send({
          headers: { ...good.headers, 'Klaviyo-Timestamp': 'hu, 01 Oct 2026 07:00:00 GMT' },
          body: `${good.body}T`,
        }),
      ],
      ['another path', 404, send(good, { path: '/' })],
      ['GET', 405, send({ ...good, body: '' }, { method: 'GET' })],
      ['PUT', 405, send(good, { method: 'PUT' })],
    ];
    for (const [what, status, answer] of cases) assert.equal(await answer, status, what);
    assert.deepEqual(await runs(), before);
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from consentry.webhook_event`.execute(world.harness.ledger.db);
    assert.equal(rows[0]?.n, 1);
  });

  test('neither size nor slowness costs more than is bounded', async () => {
    told.length = 0;
    const head = 'POST /klaviyo HTTP/1.1\r\nHost: a\r\n';
    assert.match(
      await answerTo(listener.port, `${head}Content-Length: 6000000\r\n\r\n`),
      /^HTTP\/1\.1 413 /,
    );
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    await answerTo(listener.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(6)}`);
    assert.deepEqual(
      told.map((event) => event.event === 'refused' && event.status),
      [413, 413],
    );
    const quick = new HookServer(
      { host: '127.0.0.1', port: 0, path: '/klaviyo', requestWithinMs: 200 },
      () => assert.fail('A request that did not come was taken.'),
      (event) => void told.push(event),
    );
    const port = await quick.start();
    try {
      const slow = [`${head}Content-Length: 10\r\n\r\nslow`, 'POST /klaviyo HTTP/1.1\r\nHo'];
      for (const text of slow) assert.match(await answerTo(port, text), /^HTTP\/1\.1 408 /);
    } finally {
      await quick.stop();
    }
    assert.equal((await runs()).isWanted, false);
  });

  test('many requests at once make one run, and while one works exactly one more', async () => {
    const { accountId, gates } = world.harness;
    const before = (await runs()).count;
    await noticed();
    const held = gates.close('get_events');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => send(hook(accountId, newIds(3)))),
    );
    assert.deepEqual(answers, [200, 200, 200, 200, 200]);
    await held.reached;
    assert.equal(await send(hook(accountId, newIds(), { secret: FORMER })), 200);
    assert.equal(await send(hook(accountId, newIds())), 200);
    // Should the ledger not know that one works, the Schedule does.
    const { id } = await sync();
    const schedule = world.harness.client.schedule.getHandle(workflowIds.sync(id));
    const skipped = async () => (await schedule.describe()).info.numActionsSkippedOverlap;
    const skippedBefore = await skipped();
    await triggerSchedule(world.harness.client, workflowIds.sync(id));
    await until('the skip', async () => (await skipped()) > skippedBefore);
    // It would be started by now, if the one that works did not stop it.
    await sleepUntilTried();
    assert.deepEqual(await runs(), { count: before + 1, isWanted: true, isWorking: true });
    held.open();
    await atRest();
    assert.equal((await runs()).count, before + 2);

    async function sleepUntilTried() {
      const { db } = world.harness.ledger;
      await until('the time of the next attempt', async () => {
        const { rows } = await sql<{ due: boolean }>`
          select tried_at < now() - ${2 * PACE.pauseMs} * interval '1 ms' as due
          from consentry.wanted_run where since is not null`.execute(db);
        return rows[0]?.due === true;
      });
    }
  });

  test('a sync without a Schedule is woken by its own secret alone', async () => {
    const { accountId } = world.harness;
    const before = await runs();
    assert.equal(await send(hook(accountId, newIds(), { secret: OTHER })), 200);
    await until('a run', async () => (await runs('asked')).count === 2);
    await atRest('asked');
    await world.assertTrue('asked');
    assert.deepEqual(await runs(), before);
  });

  test('a paused sync is not woken, which is said once', async () => {
    const { accountId, consentry } = world.harness;
    await consentry.syncs.setPaused('nightly', true);
    const before = await runs();
    told.length = 0;
    for (let times = 0; times < 2; times += 1) {
      assert.equal(await send(hook(accountId, newIds())), 200);
      await atRest();
    }
    assert.deepEqual(await runs(), before);
    const said = told.filter(({ event }) => event !== 'received');
    assert.deepEqual(
      said.map((event) => event.event === 'not_started' && event.sync),
      ['nightly'],
    );
    await consentry.syncs.setPaused('nightly', false);
  });

  test('what a listener noted before it ended, the next one starts', async () => {
    const { accountId, client, ledger } = world.harness;
    const never = { ...PACE, gatherMs: 3_600_000 };
    await listener.stop();
    assert.equal(await send(hook(accountId, newIds())), null);
    listener = await listen(['nightly', 'asked'], never);
    const before = (await runs()).count;
    assert.equal(await send(hook(accountId, newIds())), 200);
    await listener.stop();
    assert.equal((await runs()).isWanted, true);

    const said: HookEvent[] = [];
    // While Temporal is away, it stays wanted, and that is said once.
    const { address, namespace } = await testTemporal();
    const away = await Connection.connect({ address });
    await away.close();
    const reach = new Reach(away, namespace, ledger, {});
    const woken = [await sync()];
    const tell = (event: HookEvent) => void said.push(event);
    // Events are gathered first.
    await new WantedRuns(reach, woken, tell, { ...never, pauseMs: 0 }).look();
    assert.equal(said.length, 0);
    const cut = new WantedRuns(reach, woken, tell, { ...PACE, gatherMs: 0, pauseMs: 0 });
    await cut.look();
    await cut.look();
    assert.deepEqual(
      said.map((event) => event.event === 'not_started' && /tried again/.test(event.why)),
      [true],
    );
    assert.deepEqual(await runs(), { count: before, isWanted: true, isWorking: false });
    assert.ok(client.connection !== away);

    await noticed();
    listener = await listen(['nightly', 'asked']);
    await until('the run', async () => (await runs()).count === before + 1);
    await atRest();
  });

  test('what cannot be noted is not taken: Klaviyo sends it again', async () => {
    const { accountId, ledger } = world.harness;
    const { headers, body } = hook(accountId, newIds());
    const lowered = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    // The ledger refuses what belongs to no sync of its own.
    const nobody = { ...(await sync()), id: 'no sync of the ledger' };
    const { status, events: said } = await receive(ledger.db, [nobody], {
      headers: lowered,
      body: Buffer.from(body),
    });
    assert.equal(status, 503);
    assert.equal(said.length, 1);
  });

  test('two listeners start one run', async () => {
    const { accountId } = world.harness;
    await noticed();
    const before = (await runs()).count;
    const second = await listen(['nightly']);
    try {
      const [one, other] = [hook(accountId, newIds(2)), hook(accountId, newIds(2))];
      assert.deepEqual(
        await Promise.all([send(one), send(other, { port: second.port }), send(one)]),
        [200, 200, 200],
      );
      await until('the run', async () => (await runs()).count > before);
      await atRest();
      assert.equal((await runs()).count, before + 1);
    } finally {
      await second.stop();
    }
  });

  test('remembers events as hashes, and only so many', async () => {
    const { db } = world.harness.ledger;
    const { id } = await sync();
    const remembered = async () => {
      const { rows } = await sql<{ text: string }>`
        select encode(id_hash, 'escape') as text from consentry.webhook_event where sync_id = ${id}`.execute(
        db,
      );
      return rows.map(({ text }) => text);
    };
    const all = await remembered();
    assert.ok(all.length > 10);
    assert.ok(all.every((text) => !text.includes('event')));
    await sql`
      update consentry.webhook_event set seen_at = now() - interval '31 days'
      where (sync_id, id_hash) in (
        select sync_id, id_hash from consentry.webhook_event where sync_id = ${id} limit 3)`.execute(
      db,
    );
    await pruneWebhookEvents(db, id);
    assert.equal((await remembered()).length, all.length - 3);
    await sql`
      update consentry.webhook_event e set seen_at = now() - n.n * interval '1 minute'
      from (select id_hash, row_number() over () as n from consentry.webhook_event) n
      where n.id_hash = e.id_hash and e.sync_id = ${id}`.execute(db);
    await pruneWebhookEvents(db, id, 4);
    assert.equal((await remembered()).length, 4);
  });

  test('a sync that the file no longer has is not woken', async () => {
    const { accountId, consentry } = world.harness;
    const loaded = await load();
    const { asked: _, ...syncs } = loaded.file.settings.syncs;
    const settings = { ...loaded.file.settings, syncs };
    const changes = await consentry.syncs.changes({
      ...loaded,
      file: { ...loaded.file, settings },
    });
    const removed = changes.find(({ change }) => change === 'removed');
    assert.equal(removed?.sync, 'asked');
    await consentry.syncs.apply(removed);
    const before = await runs('asked');
    told.length = 0;
    assert.equal(await send(hook(accountId, newIds(), { secret: OTHER })), 200);
    await atRest('asked');
    assert.deepEqual(await runs('asked'), before);
    await until('its word', async () =>
      told.some((event) => event.event === 'not_started' && /no longer has/.test(event.why)),
    );
  });

  test('says what is missing for a sync that is to be woken', async () => {
    await assert.rejects(listen(['weekly']), /has no sync weekly: it has nightly, asked, alone/);
    await assert.rejects(listen(['alone']), /line 16.*syncs\.alone has no webhooks.*webhooks: \{/s);
    process.env[SECRET_VARIABLE] = 'too short';
    await assert.rejects(listen([]), /syncs\.nightly\.webhooks\.secret is shorter than 16/);
    delete process.env[SECRET_VARIABLE];
    await assert.rejects(listen([]), new RegExp(`${SECRET_VARIABLE}, which is not set`));
    process.env[SECRET_VARIABLE] = SECRET;
    const { consentry } = world.harness;
    const taken = { host: '127.0.0.1', port: listener.port, path: '/', tell: () => undefined };
    await assert.rejects(
      consentry.webhooks.listen((await load()).file, [], taken),
      /port \d+: another program does\. Choose another --port/,
    );
  });
});

/** What a server answers to these bytes before it closes the connection; blank if nothing. */
function answerTo(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => void socket.write(text));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    // Whoever sends more than is taken is cut off.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}
