/** The echo in place of Klaviyo, in a process of its own, read by the product's client. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { programAt } from '../../bench/measure/machine.js';
import { startProgram, type StartedProgram } from '../../src/demo/child.js';
import { ENDPOINTS, KlaviyoClient, KlaviyoUnavailableError } from '../../src/klaviyo/index.js';
import { createLocalLimiter } from '../support/klaviyo/local-limiter.js';
import { createTestFolders, type TestFolders } from '../support/stack.js';

const START = '2020-01-01T00:00:00Z';
const emails = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `p${from + n}@shop.example`);

describe('the echo in place of Klaviyo', () => {
  let folders: TestFolders;
  let echo: StartedProgram;
  let client: KlaviyoClient;
  let metricId: string;
  before(async () => {
    folders = await createTestFolders();
    ({ echo, client } = await startEcho());
    const metrics = await client.listMetrics();
    metricId = metrics.find(({ name }) => name === 'Subscribed to Email Marketing')!.id;
  });
  after(async () => {
    await client.close();
    await echo.process.stop();
    await folders.remove();
  });

  async function startEcho(...args: string[]): Promise<{
    echo: StartedProgram;
    client: KlaviyoClient;
  }> {
    const echo = await startProgram(
      { label: 'echo', args: [programAt('echo/server'), ...args], environment: {} },
      folders.state,
    );
    const { url, apiKey } = echo.ready as { url: string; apiKey: string };
    const client = new KlaviyoClient({
      apiKey,
      baseUrl: url,
      limiter: createLocalLimiter(ENDPOINTS, 1),
      version: 'test',
    });
    return { echo, client };
  }

  const subscribe = (addresses: readonly string[], to = client) =>
    to.subscribeProfiles({
      listId: 'Bench1',
      customSource: 'test',
      historicalImport: false,
      profiles: addresses.map((email) => ({ email, channels: { email: { consentedAt: null } } })),
    });
  const eventsFrom = async (cursor: string | null) =>
    client.listEvents({ metricId, since: START, cursor });

  it('knows nobody before they were sent', async () => {
    assert.deepEqual(await client.lookUpProfiles({ by: 'email', values: emails(0, 2) }), []);
    assert.deepEqual((await eventsFrom(null)).events, []);
  });

  it('shows those who were sent as subscribed at once, and nobody else', async () => {
    await subscribe(emails(0, 2));
    const found = await client.lookUpProfiles({ by: 'email', values: emails(1, 2) });
    assert.deepEqual(
      found.map(({ email, emailMarketing }) => [email, emailMarketing?.consent]),
      [['p1@shop.example', 'SUBSCRIBED']],
    );
    assert.deepEqual(found[0]!.emailMarketing?.suppressions, []);
  });

  it('shows their events in pages of 1,000, each person once, in the order of the calls', async () => {
    await subscribe(emails(2, 1_000));
    await subscribe(emails(1_002, 500));
    const first = await eventsFrom(null);
    assert.equal(first.events.length, 1_000);
    const second = await eventsFrom(first.next);
    assert.equal(second.next, null);
    const all = [...first.events, ...second.events];
    assert.deepEqual(
      all.map(({ email }) => email),
      emails(0, 1_502),
    );
    assert.ok(all.every(({ metric }) => metric === 'asked'));
  });

  it('shows no events from before the time that is asked for', async () => {
    const since = new Date(Date.now() + 60_000).toISOString();
    assert.deepEqual((await client.listEvents({ metricId, since })).events, []);
  });

  it('shows nobody until as many were sent as it was told, and then all of them', async () => {
    const holding = await startEcho('3');
    try {
      const { client } = holding;
      const shown = async () => [
        (await client.lookUpProfiles({ by: 'email', values: emails(0, 4) })).length,
        (await client.listEvents({ metricId, since: START })).events.length,
      ];
      await subscribe(emails(0, 2), client);
      assert.deepEqual(await shown(), [0, 0]);
      await subscribe(emails(2, 1), client);
      assert.deepEqual(await shown(), [3, 3]);
    } finally {
      await holding.client.close();
      await holding.echo.process.stop();
    }
  });

  it('refuses what it does not know, instead of passing for Klaviyo', async () => {
    await assert.rejects(
      client.listMembers({ listId: 'Bench1', joinedSince: START }),
      KlaviyoUnavailableError,
    );
  });
});
