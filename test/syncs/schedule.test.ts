import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { populate } from 'klaviyo-sandbox';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { sql } from 'kysely';
import { Watchdog, type SyncNotice } from '../../src/activities/index.js';
import { workflowIds } from '../../src/contracts/names.js';
import {
  beginSyncRun,
  defineSync,
  endSyncRun,
  noteSeen,
  secretOf,
  SyncIsRunningError,
} from '../../src/ledger/index.js';
import { sendNotice } from '../../src/runtime/send-notice.js';
import { loadPrograms } from '../../src/starter/programs/load.js';
import type { SyncStatus } from '../../src/starter/syncs/syncs.js';
import { until } from '../workflows/phases.js';
import { startSyncWorld, type SyncWorld } from './world.js';

const URL_VARIABLE = `CONSENTRY_TEST_SYNC_URL_${process.pid}`;
const HOOK_VARIABLE = `CONSENTRY_TEST_HOOK_URL_${process.pid}`;

describe('a sync of consentry.yaml', () => {
  let world: SyncWorld;
  let folder: string;
  let hook: Server;
  const told: SyncNotice[] = [];

  before(async () => {
    world = await startSyncWorld();
    await populate(world.sandbox.account, { profiles: 300 });
    folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
    hook = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        told.push(JSON.parse(body) as SyncNotice);
        response.end();
      });
    });
    hook.listen(0, '127.0.0.1');
    await once(hook, 'listening');
    // The worker runs in this process, and finds the addresses in its environment.
    process.env[URL_VARIABLE] = world.url;
    process.env[HOOK_VARIABLE] = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  });
  after(async () => {
    delete process.env[URL_VARIABLE];
    delete process.env[HOOK_VARIABLE];
    hook.close();
    await world.close();
    await rm(folder, { recursive: true });
  });

  const load = async (...syncs: string[]) => {
    const path = join(folder, 'consentry.yaml');
    const lines = [
      'version: 1',
      'accounts:',
      `  shop: { id: ${world.harness.accountId} }`,
      'connections:',
      `  crm: { url: { env: ${URL_VARIABLE} } }`,
      'syncs:',
      ...(syncs.length === 0 ? ['  {}'] : syncs.map((line) => `  ${line}`)),
    ];
    await writeFile(path, lines.join('\n'));
    return loadPrograms(path);
  };
  const apply = async (...syncs: string[]) => {
    const consentry = world.harness.consentry;
    const changes = await consentry.syncs.changes(await load(...syncs));
    for (const change of changes) if (change.change !== 'none') await consentry.syncs.apply(change);
    return changes.map(({ sync, change, keys }) => ({ sync, change, keys }));
  };
  const status = async (): Promise<SyncStatus> => {
    const [found] = await world.harness.consentry.syncs.status('nightly');
    assert.ok(found !== undefined);
    return found;
  };
  const trigger = async () => {
    const { sync, runs } = await status();
    const handle = world.harness.client.schedule.getHandle(workflowIds.sync(sync.id));
    // Until the Schedule has noticed the end of the last run, it skips another.
    await until('the end of the last run', async () => {
      const { info } = await handle.describe();
      return info.runningActions.length === 0;
    });
    let triggeredAt = -Infinity;
    await until('a run of the Schedule', async () => {
      const [last] = (await status()).runs;
      if (last !== undefined && last.id !== runs[0]?.id) return last.finishedAt !== null;
      if (performance.now() - triggeredAt > 3_000) {
        triggeredAt = performance.now();
        await handle.trigger(ScheduleOverlapPolicy.SKIP);
      }
      return false;
    });
  };

  const CRON = '{ cron: "0 3 * * *", time_zone: Europe/Berlin }';
  const NIGHTLY = `nightly: { account: shop, to: { connection: crm, table: nightly }, every: 1h, notify: { url: { env: ${HOOK_VARIABLE} } } }`;

  test('is applied once, runs by its Schedule, and changes nothing the second time', async () => {
    assert.deepEqual(await apply(NIGHTLY), [{ sync: 'nightly', change: 'new', keys: [] }]);
    assert.deepEqual(await apply(NIGHTLY), [{ sync: 'nightly', change: 'none', keys: [] }]);
    const { schedule } = await status();
    assert.ok(schedule?.nextAt !== null && schedule?.paused === false);
    await trigger();
    await world.assertTrue('nightly');
    const { runs, lastSuccessMs, isLate } = await status();
    assert.deepEqual(
      runs.map(({ whole, added }) => [whole, added]),
      [['first', 300]],
    );
    assert.ok(lastSuccessMs !== null && !isLate);
  });

  test('is applied as well after somebody ran it by hand', async () => {
    const { syncs } = world.harness.consentry;
    const both = [NIGHTLY, NIGHTLY.replaceAll('nightly', 'weekly').replace('1h', CRON)];
    const { workflowId } = await syncs.runDefined(await load(...both), 'weekly', {
      full: false,
      reset: false,
    });
    await syncs.waitForEnd(workflowId);
    const [before] = await syncs.status('weekly');
    assert.deepEqual([before?.schedule, before?.sync.settings.lateAfterMs], [null, null]);
    assert.deepEqual((await apply(...both))[1], {
      sync: 'weekly',
      change: 'changed',
      keys: ['every', 'notify'],
    });
    await syncs.waitForEnd(
      (await syncs.runDefined(await load(...both), 'weekly', { full: false, reset: false }))
        .workflowId,
    );
    const [after] = await syncs.status('weekly');
    assert.ok(after?.schedule !== null && (after?.sync.settings.lateAfterMs ?? 0) > 0);
    assert.deepEqual((await apply(NIGHTLY))[0]?.change, 'removed');
  });

  test('a run that nobody works for any more is no success, and keeps no secret', async () => {
    const { db } = world.harness.ledger;
    const { sync, lastSuccessMs } = await status();
    const run = { syncId: sync.id, accountId: sync.accountId, workflowId: 'nobody' };
    await beginSyncRun(db, { ...run, id: 'silent', secret: 'a secret' });
    await sql`update consentry.sync_run set seen_at = now() - interval '1 hour' where id = 'silent'`.execute(
      db,
    );
    await beginSyncRun(db, { ...run, id: 'next' });
    await assert.rejects(noteSeen(db, 'silent'), SyncIsRunningError);
    await assert.rejects(beginSyncRun(db, { ...run, id: 'silent' }), SyncIsRunningError);
    await beginSyncRun(db, { ...run, id: 'next' });
    await endSyncRun(db, 'next', 'It was cancelled.');
    assert.equal(await secretOf(db, 'silent'), null);
    assert.ok(((await status()).lastSuccessMs ?? 0) >= (lastSuccessMs ?? Infinity));
    // Whoever was taken for dead and is alive goes on.
    await beginSyncRun(db, { ...run, id: 'silent' });
    await noteSeen(db, 'silent');
    await assert.rejects(defineSync(db, { ...sync, destination: 'elsewhere' }), SyncIsRunningError);
    await endSyncRun(db, 'silent', null);
  });

  test('is paused and resumed, and stays paused when the file changes', async () => {
    const { syncs } = world.harness.consentry;
    await syncs.setPaused('nightly', true);
    assert.equal((await status()).schedule?.paused, true);
    const changed = NIGHTLY.replace('1h', CRON);
    assert.deepEqual(await apply(changed), [
      { sync: 'nightly', change: 'changed', keys: ['every'] },
    ]);
    assert.equal((await status()).schedule?.paused, true);
    assert.deepEqual(await apply(changed), [{ sync: 'nightly', change: 'none', keys: [] }]);
    await syncs.setPaused('nightly', false);
    const { schedule, sync } = await status();
    assert.equal(schedule?.paused, false);
    const hour = new Intl.DateTimeFormat('en', {
      timeZone: 'Europe/Berlin',
      hour: 'numeric',
      hourCycle: 'h23',
    }).format(schedule.nextAt ?? 0);
    assert.equal(hour, '03');
    // Three nights, one of them an hour longer when clocks change.
    assert.ok((sync.settings.lateAfterMs ?? 0) >= 3 * 23 * 3_600_000);
  });

  test('a watchdog tells once that it is late, and once that it is well', async () => {
    const { ledger, accountId } = world.harness;
    const warned: string[] = [];
    const watchdog = new Watchdog(
      { ledger, accountId },
      {
        send: async (to, notice) => {
          assert.deepEqual(to, { from: 'env', name: HOOK_VARIABLE });
          await sendNotice(process.env[HOOK_VARIABLE] ?? '', notice);
        },
        measure: () => undefined,
        warn: (message) => void warned.push(message),
      },
    );
    // Whoever had to wait for the end of a run is erased as well.
    await sql`insert into consentry.erasure (account_id, email) values (${accountId}, 'a@example.com')`.execute(
      ledger.db,
    );
    await watchdog.look();
    const { rows: waiting } = await sql`select from consentry.erasure`.execute(ledger.db);
    assert.deepEqual(waiting, []);
    assert.deepEqual(told, []);
    await sql`update consentry.run set finished_at = finished_at - interval '30 days'`.execute(
      ledger.db,
    );
    assert.equal((await status()).isLate, true);
    await watchdog.look();
    await watchdog.look();
    assert.deepEqual(
      told.map(({ sync, state }) => [sync, state]),
      [['nightly', 'late']],
    );
    await trigger();
    await watchdog.look();
    await watchdog.look();
    assert.deepEqual(
      told.map(({ state }) => state),
      ['late', 'well'],
    );
    assert.deepEqual(warned, []);
  });

  test('a notice that is not taken is sent again', async () => {
    const { ledger, accountId } = world.harness;
    const sent: string[] = [];
    let isUp = false;
    const watchdog = new Watchdog(
      { ledger, accountId },
      {
        send: (_, { state }) => {
          sent.push(state);
          return isUp ? Promise.resolve() : Promise.reject(new Error('It is down.'));
        },
        measure: () => undefined,
        warn: () => undefined,
      },
    );
    await sql`update consentry.run set finished_at = finished_at - interval '30 days'`.execute(
      ledger.db,
    );
    await watchdog.look();
    isUp = true;
    await watchdog.look();
    await watchdog.look();
    assert.deepEqual(sent, ['late', 'late']);
    await trigger();
    await watchdog.look();
    assert.deepEqual(sent, ['late', 'late', 'well']);
  });

  test('a notice is sent though the worker that was about to send it died', async () => {
    const { ledger, accountId } = world.harness;
    const sent: string[] = [];
    const watchdogThat = (send: () => Promise<void>) =>
      new Watchdog(
        { ledger, accountId },
        {
          send: (_, { state }) => {
            sent.push(state);
            return send();
          },
          measure: () => undefined,
          warn: () => undefined,
        },
      );
    await sql`update consentry.run set finished_at = finished_at - interval '30 days'`.execute(
      ledger.db,
    );
    // It never hears of an answer.
    void watchdogThat(() => new Promise(() => undefined)).look();
    await until('a notice on its way', async () => sent.length === 1);
    const other = watchdogThat(() => Promise.resolve());
    await other.look();
    assert.deepEqual(sent, ['late'], 'it may still be on its way');
    await sql`update consentry.sync set notice_begun_at = notice_begun_at - interval '5 minutes'`.execute(
      ledger.db,
    );
    await other.look();
    await other.look();
    assert.deepEqual(sent, ['late', 'late']);
    await trigger();
    await other.look();
    assert.deepEqual(sent, ['late', 'late', 'well']);
  });

  test('a run that a person cannot be asked about fails, and pauses the Schedule', async () => {
    const { sync } = await status();
    delete process.env[URL_VARIABLE];
    try {
      await trigger();
      const [last] = (await status()).runs;
      assert.match(last?.failure ?? '', new RegExp(`variable ${URL_VARIABLE}, which this worker`));
      await until('the pause', async () => (await status()).schedule?.paused === true);
    } finally {
      process.env[URL_VARIABLE] = world.url;
    }
    await world.harness.consentry.syncs.setPaused('nightly', false);
    assert.equal((await status()).sync.id, sync.id);
  });

  test('what the file no longer has runs no more, and keeps its table', async () => {
    assert.deepEqual(await apply(), [{ sync: 'nightly', change: 'removed', keys: [] }]);
    assert.deepEqual(await apply(), []);
    const { schedule } = await status();
    assert.equal(schedule, null);
    assert.equal((await world.rows('select 1 from nightly')).length, 300);
    assert.deepEqual(await apply(NIGHTLY), [{ sync: 'nightly', change: 'new', keys: [] }]);
    await trigger();
    assert.deepEqual((await status()).runs[0]?.whole, null);
    const renamed = NIGHTLY.replace('nightly:', 'daily:');
    assert.deepEqual(
      (await apply(renamed)).map(({ sync, change }) => [sync, change]),
      [
        ['nightly', 'removed'],
        ['daily', 'new'],
      ],
    );
  });

  test('the file is checked as a whole', async () => {
    const refused = async (line: string, why: RegExp) => {
      await assert.rejects(load(line), why);
    };
    await refused('a: { account: nobody, to: { connection: crm } }', /line 7.*account nobody/);
    await refused('a: { account: shop, to: { connection: crn } }', /Did you mean crm\?/);
    await refused('a: { account: shop, to: { connection: crm }, every: 10s }', /from 1m to 168h/);
    await refused(
      'a: { account: shop, to: { connection: crm }, every: { cron: "0 3 * * *", time_zone: Berlin } }',
      /Europe\/Berlin/,
    );
    await assert.rejects(
      load(
        'a: { account: shop, to: { connection: crm } }',
        'b: { account: shop, to: { connection: crm, table: klaviyo_consent } }',
      ),
      /syncs\.b\.to writes to klaviyo_consent of crm, as syncs\.a does/,
    );
    await assert.rejects(
      load(
        'a: { account: shop, to: { connection: crm, lists: members } }',
        'b: { account: shop, to: { connection: crm, table: b, lists: members } }',
      ),
      /syncs\.b\.to writes to members of crm, as syncs\.a does/,
    );
    await refused(
      'a: { account: shop, to: { connection: crm, lists: true } }',
      /name of the table/,
    );
    await refused('a: { account: shop, to: { folder: x, lists: members } }', /give true/);
  });
});
