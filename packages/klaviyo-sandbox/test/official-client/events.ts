import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FilterBuilder } from 'klaviyo-api';
import {
  everyPage,
  HOUR,
  MINUTE,
  officialClient,
  refusedWith,
  row,
  subscribeQuery,
  type Official,
} from './support.js';

async function subscribePeople(client: Official, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, i) => row({ email: `p${i}@example.com` }));
  await client.profiles.bulkSubscribeProfiles(subscribeQuery(rows, { list: 'Single' }));
  client.after(5 * MINUTE);
}

async function metricNamed({ metrics }: Official, name: string): Promise<string> {
  const { body } = await metrics.getMetrics({
    filter: new FilterBuilder().equals('integration.name', 'Klaviyo').build(),
  });
  const metric = body.data.find(({ attributes }) => attributes.name === name);
  assert.ok(metric !== undefined, `no metric "${name}"`);
  return metric.id;
}

describe('the official client reads events and metrics', () => {
  it('finds the metric of a subscribe by its name, and reads it by its id', async (t) => {
    const client = await officialClient(t);
    await subscribePeople(client, 1);
    const id = await metricNamed(client, 'Subscribed to Email Marketing');
    const { body } = await client.metrics.getMetric(id, { fieldsMetric: ['name', 'integration'] });
    const { name, integration, created } = body.data.attributes;
    assert.deepEqual([name, created], ['Subscribed to Email Marketing', undefined]);
    assert.equal((integration as { name?: string } | null)?.name, 'Klaviyo');
    assert.equal((await refusedWith(client.metrics.getMetric('XXXXXX')))[0], 404);
  });

  it('pages through the events of a metric with their people included', async (t) => {
    const client = await officialClient(t);
    await subscribePeople(client, 25);
    const metric = await metricNamed(client, 'Subscribed to Email Marketing');
    const since = new Date(Date.now() - HOUR);
    const emails: string[] = [];
    const pages = await everyPage(async (at) => {
      const page = await client.events.getEvents({
        filter: new FilterBuilder()
          .equals('metric_id', metric)
          .greaterThan('datetime', since)
          .build(),
        include: ['profile', 'metric'],
        sort: 'datetime',
        pageSize: 10,
        ...at,
      });
      for (const beside of page.body.included ?? []) {
        if (!('attributes' in beside)) assert.fail(`an attribution: ${beside.id}`);
        const { attributes } = beside;
        if ('email' in attributes) emails.push(attributes.email ?? '');
      }
      return page;
    });
    assert.deepEqual(
      pages.map((page) => page.length),
      [10, 10, 5],
    );
    const events = pages.flat();
    assert.ok(events.every(({ relationships }) => relationships?.metric?.data?.id === metric));
    assert.ok(events.every(({ attributes }) => attributes.datetime instanceof Date));
    const times = events.map(({ attributes }) => attributes.datetime?.getTime() ?? 0);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(new Set(emails).size, 25);
  });

  it('reads one event with its metric and profile', async (t) => {
    const client = await officialClient(t);
    await subscribePeople(client, 1);
    const metric = await metricNamed(client, 'Subscribed to List');
    const { body } = await client.events.getEvents({
      filter: new FilterBuilder().equals('metric_id', metric).build(),
      fieldsEvent: ['datetime', 'uuid'],
    });
    const [first] = body.data;
    assert.equal(first?.attributes.eventProperties, undefined);
    const one = await client.events.getEvent(first!.id, {
      include: ['profile', 'metric'],
      fieldsProfile: ['email'],
    });
    assert.equal(one.body.data.attributes.uuid, first!.attributes.uuid);
    assert.ok(one.body.data.attributes.eventProperties !== undefined);
    assert.deepEqual(one.body.included?.map(({ type }) => type as string).sort(), [
      'metric',
      'profile',
    ]);
    assert.equal((await refusedWith(client.events.getEvent('nowhere')))[0], 400);
  });

  it('is refused for an unknown metric', async (t) => {
    const { events } = await officialClient(t);
    const filter = new FilterBuilder().equals('metric_id', 'XXXXXX').build();
    assert.deepEqual(await refusedWith(events.getEvents({ filter })), [
      400,
      ['filter', "Metric IDs ['XXXXXX'] do not exist."],
    ]);
  });
});
