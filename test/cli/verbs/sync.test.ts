import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { startVerb } from '../../../src/demo/child.js';
import { until } from '../../workflows/phases.js';
import { run } from '../terminal.js';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';
import { createTestDatabase, type TestDatabase } from '../../support/stack.js';

/** The tutorial of docs/sync.md, with its own `consentry.yaml`. */
describe('nightly consent into PostgreSQL', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  let customer: TestDatabase;
  let hook: Server;
  let config: string;

  before(async () => {
    customer = await createTestDatabase();
    hook = createServer((_, response) => response.end());
    hook.listen(0, '127.0.0.1');
    await once(hook, 'listening');
    // The worker gets them with the rest of the environment.
    process.env['CRM_URL'] = customer.url;
    process.env['HOOK_URL'] = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    stack = await startVerbStack(['--switch', 'webhooks=allowed']);
    await stack.sandbox.seed([
      { email: 'in@shop.test', email_consent: 'SUBSCRIBED' },
      { email: 'out@shop.test', email_consent: 'UNSUBSCRIBED' },
      { email: 'held@shop.test', email_consent: 'SUBSCRIBED', suppressions: ['HARD_BOUNCE'] },
    ]);
    config = await stack.source('consentry.yaml', [yamlOf(page())]);
  });
  after(async () => {
    hook.close();
    await stack.stop();
    await customer.drop();
    delete process.env['CRM_URL'];
    delete process.env['HOOK_URL'];
  });

  const sync = async (...argv: string[]) => {
    const { code, stdout, stderr } = await run('sync', ...argv);
    assert.equal(code, 0, `${stdout}${stderr}`);
    return stdout;
  };
  const mailed = async (table: string) => {
    const client = new pg.Client({ connectionString: customer.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ email: string }>(
        `select email from ${table} where may_send_email_marketing order by email`,
      );
      return rows.map(({ email }) => email);
    } finally {
      await client.end();
    }
  };

  it('runs from the command line, and then reads what changed', async () => {
    const to = ['--to', customer.url, '--history', 'consent_history'];
    assert.match(
      await sync('run', ...to),
      /whole account for the first time: \d+ profiles read, 3 added/,
    );
    assert.deepEqual(await mailed('klaviyo_consent'), ['in@shop.test']);
    assert.match(
      await sync('run', ...to),
      /^Read what changed: \d+ profiles? read, 0 added, 0 changed/,
    );
    const status = await sync('status');
    assert.match(status, /last success .* ago; runs only when asked for/);
    assert.doesNotMatch(status, new RegExp(new URL(customer.url).password || '\0'));
  });

  it('is described in consentry.yaml, planned and applied', async () => {
    const planned = await run('plan', '--config', config, '--check');
    assert.equal(planned.code, 8, planned.stderr);
    assert.match(planned.stdout, /nightly .* new .* run at 0 3 \* \* \* \(Europe\/Berlin\)/);
    const applied = await run('apply', '--config', config, '--yes');
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /Syncs applied: nightly\./);
    assert.equal((await run('plan', '--config', config, '--check')).code, 0);
    assert.match(await sync('run', 'nightly', '--config', config), /3 added/);
    assert.deepEqual(await mailed('nightly_consent'), ['in@shop.test']);
    const document = JSON.parse(await sync('status', 'nightly', '--json')) as {
      syncs: { name: string; isLate: boolean; schedule: { nextAt: string } }[];
    };
    assert.equal(document.syncs.length, 1);
    assert.equal(document.syncs[0]?.isLate, false);
    assert.ok(Date.parse(document.syncs[0]?.schedule.nextAt ?? '') > Date.now());
  });

  it('is paused, resumed, compared and begun anew', async () => {
    assert.match(await sync('pause', 'nightly'), /starts no more runs/);
    assert.match(await sync('status', 'nightly'), /paused \(Paused by consentry sync pause/);
    assert.match(await sync('unpause', 'nightly'), /runs by itself again/);
    assert.match(
      await sync('validate', 'nightly', '--sample', '50'),
      /^3 rows compared: all as Klaviyo says/,
    );
    assert.match(await sync('reset', 'nightly', '--config', config), /whole account/);
  });

  it('is woken by a webhook that Klaviyo sends', async () => {
    const secret = '0123456789abcdef0123456789abcdef';
    process.env['WEBHOOK_SECRET'] = secret;
    const {
      TEMPORAL_ADDRESS = '',
      TEMPORAL_NAMESPACE = '',
      TEMPORAL_CONFIG_FILE = '',
    } = process.env;
    const line = '    webhooks: { secret: { env: WEBHOOK_SECRET } }';
    const hooked = await stack.source('hooked.yaml', [yamlOf(page()).trimEnd(), line]);
    assert.ok(page().includes(line), 'docs/sync.md has another line');
    const listener = await startVerb(
      ['webhooks', 'listen', 'nightly', '--config', hooked, '--port', '0'],
      { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_CONFIG_FILE },
      stack.folder,
    );
    try {
      const [, webhook = ''] = /```json\n(\{\s*"data"[^]*?)```/.exec(page()) ?? [];
      const created = await klaviyo(
        'webhooks',
        webhook
          .replace(/https:\/\/hooks[^"]*/, String(listener.ready['url']))
          .replace(/the same as[^"]*/, secret),
      );
      assert.equal(created, 201);
      const subscriptions = { email: { marketing: { consent: 'UNSUBSCRIBED' } } };
      const attributes = { email: 'in@shop.test', subscriptions };
      const profiles = { data: [{ type: 'profile', attributes }] };
      const type = 'profile-subscription-bulk-delete-job';
      const job = JSON.stringify({ data: { type, attributes: { profiles } } });
      assert.equal(await klaviyo('profile-subscription-bulk-delete-jobs', job), 202);
      await until('the row', async () => (await mailed('nightly_consent')).length === 0);
      await until('its word', async () => /"event":"started"/.test(listener.process.output()));
    } finally {
      await listener.process.stop();
      delete process.env['WEBHOOK_SECRET'];
    }
    assert.equal(await listener.process.ended, 'was ended by SIGTERM');
    const events = listener.process.output().match(/(?<="event":")\w+/g);
    assert.deepEqual([...new Set(events)], ['ready', 'received', 'started']);
    assert.doesNotMatch(listener.process.output(), /shop\.test|0123456789abcdef/);
  });

  const klaviyo = async (path: string, body: string): Promise<number> => {
    const { url, apiKey } = stack.klaviyo;
    const { status } = await fetch(`${url}/api/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision: '2026-07-15',
        'content-type': 'application/vnd.api+json',
      },
      body,
    });
    return status;
  };

  it('says what is wrong with a sync that is not there', async () => {
    for (const [argv, why] of [
      [['run'], /Say which sync/],
      [['run', 'weekly', '--config', config], /has no sync weekly: it has nightly/],
      [['run', 'nightly', '--config', config, '--table', 'other'], /described in consentry\.yaml/],
      [['status', 'weekly'], /There is no sync weekly/],
      [['cancel', 'nightly'], /No run of the sync nightly is going on/],
    ] as const) {
      const { code, stderr } = await run('sync', ...argv);
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
    }
  });
});

/** The repository is the folder of package.json, from the sources as from the build. */
function page(): string {
  for (const up of ['../../../', '../../../../']) {
    try {
      return readFileSync(join(import.meta.dirname, up, 'docs/sync.md'), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('docs/sync.md is not found');
}

function yamlOf(text: string): string {
  const [, yaml] = /```yaml\n(version[^]*?)```/.exec(text) ?? [];
  assert.ok(yaml !== undefined, 'docs/sync.md has no consentry.yaml');
  return yaml;
}
