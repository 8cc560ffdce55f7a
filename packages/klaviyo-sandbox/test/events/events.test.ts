import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Sandbox, SandboxOptions } from '../../src/index.js';
import { call, get, HOUR, refusal, row, sandboxFor, subscribe } from '../support.js';

interface EventResource {
  id: string;
  attributes: {
    timestamp: number;
    datetime: string;
    event_properties: Record<string, unknown>;
    uuid: string;
  };
  relationships: Record<'profile', Related> & { metric?: Related };
}
interface Related {
  data: { type: string; id: string };
}
interface EventPage {
  data: EventResource[];
  included?: { type: string; id: string; attributes: Record<string, unknown> }[];
  links: { next: string | null };
}

const events = (sandbox: Sandbox, query: Record<string, string> = {}) =>
  get<EventPage>(sandbox, `/api/events?${new URLSearchParams(query).toString()}`);

const metricId = (sandbox: Sandbox, name: string) =>
  sandbox.account.journal.metrics.all().find((metric) => metric.name === name)!.id;

const nameOf = (sandbox: Sandbox, { relationships }: EventResource) =>
  sandbox.account.journal.metrics.withId(relationships.metric!.data.id)?.name;

const profileId = (sandbox: Sandbox, email: string) => sandbox.account.truthFor({ email })!.id;

/** Ada subscribed on the 3rd, Bea on the 1st and Cid on the 2nd of May 2024, all to `Single`. */
async function threePeople(t: TestContext, options: SandboxOptions = {}) {
  const sandbox = await sandboxFor(t, options);
  const rows = [
    row({ email: 'ada@shop.test' }, ['email'], { consented_at: '2024-05-03T00:00:00Z' }),
    row({ email: 'bea@shop.test' }, ['email'], { consented_at: '2024-05-01T00:00:00Z' }),
    row({ email: 'cid@shop.test' }, ['email'], { consented_at: '2024-05-02T00:00:00.750Z' }),
  ];
  await subscribe(sandbox, rows, { list: 'Single', historical_import: true });
  sandbox.account.advance(HOUR);
  return sandbox;
}

describe('get_events', () => {
  it('shows what a historical subscribe wrote, back-dated', async (t) => {
    const sandbox = await threePeople(t);
    const { data, links } = await events(sandbox, { sort: 'datetime' });
    assert.deepEqual(
      data.map((event) => [
        nameOf(sandbox, event),
        event.attributes.datetime,
        event.attributes.event_properties,
      ]),
      ['2024-05-01', '2024-05-02', '2024-05-03'].flatMap((day) => {
        const $event_id = String(Date.parse(day) / 1_000);
        const datetime = `${day}T00:00:00+00:00`;
        return [
          ['Subscribed to Email Marketing', datetime, { $event_id }],
          ['Subscribed to List', datetime, { List: 'Single', $event_id }],
        ];
      }),
    );
    assert.equal(links.next, null);
    const [first] = data;
    assert.equal(first?.attributes.timestamp, Date.UTC(2024, 4, 1) / 1_000);
    assert.match(first.attributes.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-8001-[0-9a-f]{12}$/);
    assert.deepEqual(first.relationships.profile.data, {
      type: 'profile',
      id: profileId(sandbox, 'bea@shop.test'),
    });
  });

  it('dates current events to the second, the latest first', async (t) => {
    const sandbox = await threePeople(t);
    const before = Math.floor(Date.now() / 1_000);
    sandbox.account.unsubscribe({ email: 'bea@shop.test' });
    const [first] = (await events(sandbox)).data;
    assert.equal(nameOf(sandbox, first!), 'Unsubscribed from Email Marketing');
    assert.ok(first!.attributes.timestamp >= before);
    assert.ok(Number.isInteger(first!.attributes.timestamp));
  });

  const SECOND = Date.UTC(2024, 4, 2) / 1_000;
  const filters: [filter: string, people: string[]][] = [
    ['greater-than(datetime,2024-05-02T00:00:00Z)', ['ada']],
    ['greater-than(datetime,2024-05-01T23:59:59.500Z)', ['cid', 'ada']],
    ['greater-or-equal(datetime,2024-05-02T00:00:00Z)', ['cid', 'ada']],
    ['greater-or-equal(datetime,2024-05-02T00:00:00.001Z)', ['ada']],
    ['less-than(datetime,2024-05-02T00:00:00Z)', ['bea']],
    ['less-than(datetime,2024-05-02T00:00:00.001Z)', ['bea', 'cid']],
    ['less-or-equal(datetime,2024-05-02T00:00:00Z)', ['bea', 'cid']],
    [`greater-than(timestamp,${SECOND})`, ['ada']],
    [`greater-than(timestamp,${SECOND - 0.5})`, ['cid', 'ada']],
    [`and(greater-or-equal(timestamp,${SECOND}),less-or-equal(timestamp,${SECOND}))`, ['cid']],
    [`greater-than(datetime,2024-05-01T00:00:00Z),less-than(timestamp,${SECOND + 1})`, ['cid']],
    ['has(profile),has(metric)', ['bea', 'cid', 'ada']],
  ];
  for (const [condition, people] of filters) {
    it(`filters by ${condition}`, async (t) => {
      const sandbox = await threePeople(t);
      const metric = metricId(sandbox, 'Subscribed to List');
      const filter = `equals(metric_id,"${metric}"),${condition}`;
      const { data } = await events(sandbox, { filter, sort: 'timestamp' });
      assert.deepEqual(
        data.map(({ relationships }) => relationships.profile.data.id),
        people.map((name) => profileId(sandbox, `${name}@shop.test`)),
      );
    });
  }

  it('accepts one metric or several', async (t) => {
    const sandbox = await threePeople(t);
    sandbox.account.unsubscribe({ email: 'ada@shop.test' });
    const [list, out] = ['Subscribed to List', 'Unsubscribed from Email Marketing'].map((name) =>
      metricId(sandbox, name),
    );
    const count = async (filter: string) => (await events(sandbox, { filter })).data.length;
    assert.equal(await count(`equals(metric_id,"${out}")`), 1);
    assert.equal(await count(`equals(metric_id,["${list}","${out}"])`), 4);
    assert.equal(
      await count(`equals(metric_id,["${list}","${out}"]),equals(metric_id,"${out}")`),
      1,
    );
    assert.equal(await count(`equals(metric_id,"${list}"),equals(metric_id,"${out}")`), 0);
  });

  it('accepts one profile; an unknown one has no events', async (t) => {
    const sandbox = await threePeople(t);
    const ada = profileId(sandbox, 'ada@shop.test');
    const { data } = await events(sandbox, { filter: `equals(profile_id,"${ada}")` });
    assert.equal(data.length, 2);
    const nobody = await events(sandbox, {
      filter: 'equals(profile_id,"01GDDKASAP8TKDDA2GRZDSVP4H")',
    });
    assert.deepEqual(nobody.data, []);
    const bea = profileId(sandbox, 'bea@shop.test');
    const both = { filter: `equals(profile_id,"${ada}"),equals(profile_id,"${bea}")` };
    assert.deepEqual((await events(sandbox, both)).data, []);
    const several = `/api/events?filter=equals(profile_id,["${ada}","${bea}"])`;
    assert.equal((await call(sandbox, 'GET', several)).status, 400);
  });

  it('refuses metrics that do not exist, with the recorded wording', async (t) => {
    const sandbox = await threePeople(t);
    const known = metricId(sandbox, 'Subscribed to List');
    const filter = encodeURIComponent(`equals(metric_id,["NOPE01","${known}","NOPE02"])`);
    assert.deepEqual(await refusal(await call(sandbox, 'GET', `/api/events?filter=${filter}`)), {
      status: 400,
      errors: [['filter', "Metric IDs ['NOPE01', 'NOPE02'] do not exist."]],
    });
  });

  for (const sort of ['datetime', '-datetime']) {
    it(`pages by ${sort} without gaps or repeats, also within one second`, async (t) => {
      const sandbox = await threePeople(t);
      const whole = (await events(sandbox, { sort })).data.map(({ id }) => id);
      assert.equal(whole.length, 6);
      const paged: string[] = [];
      let path: string | null = `/api/events?sort=${sort}&page[size]=1`;
      while (path !== null) {
        const page: EventPage = await get<EventPage>(sandbox, path);
        paged.push(...page.data.map(({ id }) => id));
        path = page.links.next;
      }
      assert.deepEqual(paged, whole);
    });
  }

  it('includes each metric and profile once, without subscriptions', async (t) => {
    const sandbox = await threePeople(t);
    const { included } = await events(sandbox, { include: 'metric,profile,attributions' });
    assert.deepEqual(
      included?.map(({ type }) => type),
      ['metric', 'metric', 'profile', 'profile', 'profile'],
    );
    assert.ok(included.every(({ attributes }) => !('subscriptions' in attributes)));
    const query = {
      include: 'profile',
      'fields[profile]': 'email',
      'fields[event]': 'datetime',
      filter: 'less-than(datetime,2024-05-02T00:00:00Z)',
    };
    const sparse = await events(sandbox, query);
    assert.deepEqual(
      sparse.included?.map(({ attributes }) => attributes),
      [{ email: 'bea@shop.test' }],
    );
    assert.deepEqual(sparse.data[0]?.attributes, { datetime: '2024-05-01T00:00:00+00:00' });
    assert.deepEqual((await events(sandbox, { include: 'attributions' })).included, []);
    assert.equal((await events(sandbox)).included, undefined);
  });

  it('shows late events late if the switch says so', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { events: 'late' } });
    sandbox.account.seed({ email: 'ada@shop.test', email_consent: 'SUBSCRIBED' });
    sandbox.account.unsubscribe({ email: 'ada@shop.test' });
    assert.deepEqual((await events(sandbox)).data, []);
    sandbox.account.advance(10 * 60_000);
    assert.equal((await events(sandbox)).data.length, 1);
  });
});

describe('get_event', () => {
  it('shows one event as the collection does', async (t) => {
    const sandbox = await threePeople(t);
    const [first] = (await events(sandbox)).data;
    const { data, included } = await get<{ data: EventResource; included: { id: string }[] }>(
      sandbox,
      `/api/events/${first!.id}?include=metric`,
    );
    assert.deepEqual(data, first);
    assert.deepEqual(
      included.map(({ id }) => id),
      [first!.relationships.metric?.data.id],
    );
  });

  it('refuses a malformed id, with the recorded wording', async (t) => {
    const sandbox = await sandboxFor(t);
    assert.deepEqual(await refusal(await call(sandbox, 'GET', '/api/events/NOPE01')), {
      status: 400,
      errors: [['/data/id', "Invalid Event ID: 'NOPE01'"]],
    });
  });

  for (const unknownIdOnGet of [404, 400] as const) {
    it(`answers ${unknownIdOnGet} for an id that no event has, as the switch says`, async (t) => {
      const sandbox = await threePeople(t, { switches: { unknownIdOnGet } });
      const [first] = (await events(sandbox)).data;
      sandbox.account.journal.events.forget(0);
      const ids = ['7qWkC6JPz7g', first!.id];
      for (const id of ids) {
        assert.equal((await call(sandbox, 'GET', `/api/events/${id}`)).status, unknownIdOnGet, id);
      }
    });
  }
});

describe('the metric of an event in answers', () => {
  const named = (page: EventPage) =>
    page.data.map(({ relationships }) => relationships.metric?.data.id);

  for (const eventMetric of ['missing', 'unknown'] as const) {
    it(`is ${eventMetric} if the switch says so, unless has(metric) is in the filter`, async (t) => {
      const sandbox = await threePeople(t, { switches: { eventMetric } });
      const id = metricId(sandbox, 'Subscribed to Email Marketing');
      const filter = `equals(metric_id,"${id}")`;
      const page = await events(sandbox, { filter, include: 'metric' });
      const shown = eventMetric === 'missing' ? undefined : 'NoMtrc';
      assert.deepEqual([named(page), page.included], [[shown, shown, shown], []]);
      const one = await get<{ data: EventResource }>(sandbox, `/api/events/${page.data[0]!.id}`);
      assert.equal(one.data.relationships.metric?.data.id, shown);
      const asked = await events(sandbox, { filter: `${filter},has(metric)` });
      assert.deepEqual(asked.data, []);
    });
  }

  it('is missing at times, always from the same events', async (t) => {
    const sandbox = await threePeople(t, {
      seed: 3,
      switches: { eventMetric: 'missing_at_times' },
    });
    const first = named(await events(sandbox));
    assert.ok(first.includes(undefined) && first.some((id) => id !== undefined), String(first));
    assert.deepEqual(named(await events(sandbox)), first);
  });
});
