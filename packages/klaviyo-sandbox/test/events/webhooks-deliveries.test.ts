import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import type { Webhook } from '../../src/account/events/webhook.js';
import type { Sandbox, SandboxOptions } from '../../src/index.js';
import { call, get, HOUR, sandboxFor } from '../support.js';

const SECRET = 'a secret of some length';
const OPT_OUT = 'event:klaviyo.unsubscribed_from_email_marketing';
const MINUTE = 60_000;

interface Body {
  data: { external_id: string; topic: string; payload: { data: { id: string } } }[];
  meta: Record<string, string>;
}
interface Received {
  headers: IncomingHttpHeaders;
  raw: string;
  body: Body;
}

/** An endpoint that stores what it gets and answers with `answer`. */
async function receiver(
  t: TestContext,
  answer: (response: ServerResponse, number: number) => void = (response) => response.end(),
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      received.push({ headers: request.headers, raw, body: JSON.parse(raw) as Body });
      answer(response, received.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { received, server, endpointUrl: new URL(`http://127.0.0.1:${port}/hook`) };
}

const refuse = (response: ServerResponse) => {
  response.statusCode = 500;
  response.end();
};

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await wait(1)) {
    assert.ok(Date.now() < deadline, `waited in vain for ${condition.toString()}`);
  }
}

async function listening(t: TestContext, endpointUrl: URL, options: SandboxOptions = {}) {
  const sandbox = await sandboxFor(t, { switches: { webhooks: 'allowed' }, ...options });
  const webhook = sandbox.account.webhooks.create({
    name: 'Opt-outs',
    description: null,
    endpointUrl,
    secretKey: SECRET,
    topics: [OPT_OUT],
  });
  return { sandbox, webhook };
}

function optOut(sandbox: Sandbox, email = 'ada@shop.test') {
  sandbox.account.seed({ email, email_consent: 'SUBSCRIBED' });
  sandbox.account.unsubscribe({ email });
}

const countsOf = (sandbox: Sandbox, { id }: Webhook) =>
  sandbox.account.webhooks.deliveries().find(({ webhook_id }) => webhook_id === id)!;

describe('webhook deliveries', () => {
  it('come after one to three minutes, signed, with the event as the API shows it', async (t) => {
    const { received, endpointUrl } = await receiver(t);
    const { sandbox, webhook } = await listening(t, endpointUrl);
    optOut(sandbox);
    sandbox.account.advance(59_000);
    const { waiting, in_flight } = countsOf(sandbox, webhook);
    assert.deepEqual([waiting, in_flight], [1, 0]);
    sandbox.account.advance(2 * MINUTE + 1_000);
    await until(() => countsOf(sandbox, webhook).delivered === 1);
    const [{ headers, raw, body }] = received as [Received];

    const timestamp = headers['klaviyo-timestamp'] as string;
    const expected = createHmac('sha256', SECRET)
      .update(raw + timestamp)
      .digest('hex');
    assert.equal(headers['klaviyo-signature'], expected);
    assert.equal(headers['klaviyo-webhook-id'], webhook.id);
    assert.match(timestamp, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    const { timestamp: sent, version, ...meta } = body.meta;
    assert.deepEqual(meta, { klaviyo_account_id: 'SbxAcc', klaviyo_webhook_id: webhook.id });
    assert.equal(version, '2026-07-15');
    assert.ok(Math.abs(Date.parse(sent!) - Date.now()) < MINUTE);
    const ahead = Date.parse(timestamp) - Date.parse(sent!);
    assert.ok(ahead > 5 * HOUR - 1_500 && ahead <= 5 * HOUR, `the header is ${ahead} ms ahead`);

    const { data } = await get<{ data: { id: string; links: object }[] }>(sandbox, '/api/events');
    const [event] = data;
    assert.deepEqual(
      body.data.map(({ external_id, topic }) => [external_id, topic]),
      [[event?.id, OPT_OUT]],
    );
    const links = (it: unknown) =>
      JSON.stringify(it).replaceAll(sandbox.url, 'https://a.klaviyo.com');
    assert.equal(JSON.stringify(body.data[0]?.payload.data), links(event));
  });

  it('have a correct clock in the header if the account says so', async (t) => {
    const { received, endpointUrl } = await receiver(t);
    const { sandbox } = await listening(t, endpointUrl, { account: { webhookClockSkewMs: 0 } });
    optOut(sandbox);
    sandbox.account.advance(3 * MINUTE);
    await until(() => received.length === 1);
    const header = Date.parse(received[0]!.headers['klaviyo-timestamp'] as string);
    assert.ok(Math.abs(header - Date.now()) < MINUTE);
  });

  it('only contain the chosen topics, and no earlier events', async (t) => {
    const { received, endpointUrl } = await receiver(t);
    const { sandbox, webhook } = await listening(t, endpointUrl);
    sandbox.account.seed({ email: 'ada@shop.test', phone_number: '+12015550123' });
    sandbox.account.stopSms({ phone_number: '+12015550123' });
    assert.deepEqual(sandbox.account.webhooks.deliveries(), []);
    optOut(sandbox, 'bea@shop.test');
    const later = sandbox.account.webhooks.create({ ...webhook });
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).delivered === 1);
    assert.deepEqual(
      received.map(({ body }) => body.data.map(({ topic }) => topic)),
      [[OPT_OUT]],
    );
    assert.equal(countsOf(sandbox, later), undefined);
  });

  it('contain up to a thousand events, a few deliveries at a time', async (t) => {
    const open: ServerResponse[] = [];
    const { received, endpointUrl } = await receiver(t, (response) => open.push(response));
    const { sandbox, webhook } = await listening(t, endpointUrl);
    sandbox.account.seed({ email: 'ada@shop.test' });
    const metric = 'Unsubscribed from Email Marketing';
    for (let i = 0; i < 4_001; i++) sandbox.account.journal.record({ metric, profile: 0 });
    sandbox.account.advance(3 * MINUTE);
    await until(() => open.length === 3);
    // Two more are due; only an answer releases them.
    const { waiting, in_flight } = countsOf(sandbox, webhook);
    assert.deepEqual([waiting, in_flight], [4_001, 3]);
    for (let answered = 0; answered < 5; answered++) {
      await until(() => open.length > 0);
      assert.ok(open.length <= 3);
      open.shift()!.end();
    }
    await until(() => countsOf(sandbox, webhook).events === 4_001);
    const sizes = received.map(({ body }) => body.data.length);
    assert.deepEqual(
      sizes.sort((a, b) => a - b),
      [1, 1_000, 1_000, 1_000, 1_000],
    );
    const ids = received.flatMap(({ body }) => body.data.map(({ external_id }) => external_id));
    assert.equal(new Set(ids).size, 4_001);
  });

  it('are retried with growing delays until the endpoint accepts them', async (t) => {
    const { received, endpointUrl } = await receiver(t, (response, number) => {
      if (number < 3) refuse(response);
      else response.end();
    });
    const { sandbox, webhook } = await listening(t, endpointUrl);
    optOut(sandbox);
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).failed === 1);
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).failed === 2);
    sandbox.account.advance(5 * MINUTE);
    assert.equal(countsOf(sandbox, webhook).in_flight, 0, 'the second pause is longer');
    sandbox.account.advance(MINUTE);
    assert.equal(countsOf(sandbox, webhook).in_flight, 1);
    await until(() => countsOf(sandbox, webhook).delivered === 1);
    assert.equal(new Set(received.map(({ body }) => body.data[0]?.external_id)).size, 1);
    assert.deepEqual(countsOf(sandbox, webhook), {
      webhook_id: webhook.id,
      in_flight: 0,
      delivered: 1,
      events: 1,
      failed: 2,
      last_failure: '500',
      dropped: 0,
      waiting: 0,
    });
  });

  it('end after two days of failures, and the webhook is disabled', async (t) => {
    const { received, endpointUrl } = await receiver(t, refuse);
    const { sandbox, webhook } = await listening(t, endpointUrl);
    optOut(sandbox);
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).failed === 1);
    for (let hours = 0; hours < 48; hours++) {
      assert.ok(webhook.enabled, `after ${hours} h`);
      const { failed } = countsOf(sandbox, webhook);
      sandbox.account.advance(HOUR);
      await until(() => countsOf(sandbox, webhook).failed > failed);
    }
    assert.equal(webhook.enabled, false);
    const { waiting, dropped } = countsOf(sandbox, webhook);
    assert.deepEqual([waiting, dropped], [0, 1]);
    const tries = received.length;
    sandbox.account.webhooks.update(webhook, { enabled: true });
    optOut(sandbox, 'bea@shop.test');
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).failed === tries + 1);
    assert.ok(webhook.enabled, 'it has its two days again');
  });

  it('say why an endpoint could not be reached', async (t) => {
    const { server, endpointUrl } = await receiver(t);
    server.close();
    await once(server, 'close');
    const { sandbox, webhook } = await listening(t, endpointUrl);
    optOut(sandbox);
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).failed === 1);
    assert.match(countsOf(sandbox, webhook).last_failure!, /ECONNREFUSED/);
  });

  it('leave out people who were deleted in the meantime', async (t) => {
    const { received, endpointUrl } = await receiver(t);
    const { sandbox, webhook } = await listening(t, endpointUrl);
    optOut(sandbox, 'ada@shop.test');
    optOut(sandbox, 'bea@shop.test');
    sandbox.account.journal.events.forget(0);
    sandbox.account.advance(3 * MINUTE);
    await until(() => countsOf(sandbox, webhook).delivered === 1);
    assert.equal(received[0]?.body.data.length, 1);
    const { events, dropped, waiting } = countsOf(sandbox, webhook);
    assert.deepEqual([events, dropped, waiting], [1, 1, 0]);
  });

  const ways: [what: string, end: (sandbox: Sandbox, webhook: Webhook) => Promise<unknown>][] = [
    ['deleted', (sandbox, { id }) => call(sandbox, 'DELETE', `/api/webhooks/${id}`)],
    [
      'switched off',
      (sandbox, { id }) => {
        const data = { type: 'webhook', id, attributes: { enabled: false } };
        return call(sandbox, 'PATCH', `/api/webhooks/${id}`, { data });
      },
    ],
  ];
  for (const [what, end] of ways) {
    it(`stop when the webhook is ${what}`, async (t) => {
      const { received, endpointUrl } = await receiver(t);
      const { sandbox, webhook } = await listening(t, endpointUrl);
      optOut(sandbox);
      await end(sandbox, webhook);
      optOut(sandbox, 'bea@shop.test');
      const { waiting, dropped } = countsOf(sandbox, webhook);
      assert.deepEqual([waiting, dropped], [0, 1]);
      const witness = sandbox.account.webhooks.create({ ...webhook });
      optOut(sandbox, 'cid@shop.test');
      sandbox.account.advance(3 * MINUTE);
      await until(() => countsOf(sandbox, witness).delivered === 1);
      assert.deepEqual(
        received.map(({ headers }) => headers['klaviyo-webhook-id']),
        [witness.id],
      );
    });
  }

  it('are cut off when the sandbox closes', async (t) => {
    const open: ServerResponse[] = [];
    const { endpointUrl } = await receiver(t, (response) => open.push(response));
    const { sandbox } = await listening(t, endpointUrl);
    optOut(sandbox);
    sandbox.account.advance(3 * MINUTE);
    await until(() => open.length === 1);
    const cut = once(open[0]!, 'close');
    const closed = performance.now();
    sandbox.account.close();
    await cut;
    // Long before the time-out of an endpoint.
    assert.ok(performance.now() - closed < 3_000);
  });
});
