import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Sandbox } from '../../src/index.js';
import { METRICS } from '../../src/store/events/event-store.js';
import { call, get, refusal, sandboxFor } from '../support.js';

interface MetricPage {
  data: {
    id: string;
    attributes: { name: string; created: string; updated: string; integration: object };
    relationships: { 'flow-triggers': { data?: unknown[] } };
  }[];
  included?: unknown[];
}

const metrics = (sandbox: Sandbox, query: Record<string, string> = {}) =>
  get<MetricPage>(sandbox, `/api/metrics?${new URLSearchParams(query).toString()}`);

const names = ({ data }: MetricPage) => data.map(({ attributes }) => attributes.name).sort();

function optOut(sandbox: Sandbox) {
  const email = 'ada@shop.test';
  sandbox.account.seed({ email, phone_number: '+12015550123', sms_consent: 'SUBSCRIBED' });
  sandbox.account.unsubscribe({ email });
  sandbox.account.stopSms({ phone_number: '+12015550123' });
}

describe('get_metrics', () => {
  it('does not know a metric before its first event', async (t) => {
    const sandbox = await sandboxFor(t);
    assert.deepEqual((await metrics(sandbox)).data, []);
    optOut(sandbox);
    assert.deepEqual(names(await metrics(sandbox)), [
      'Unsubscribed from Email Marketing',
      'Unsubscribed from SMS Marketing',
    ]);
  });

  it('lists every metric from the beginning if the switch says so', async (t) => {
    const sandbox = await sandboxFor(t, { switches: { unfiredMetrics: 'listed' } });
    const page = await metrics(sandbox);
    assert.deepEqual(names(page), [...METRICS].sort());
    const ids = page.data.map(({ id }) => id);
    assert.deepEqual(ids, [...ids].sort());
    assert.ok(ids.every((id) => /^[A-Za-z0-9]{6}$/.test(id)));
    const filter = encodeURIComponent(`equals(metric_id,"${ids[0]}")`);
    const { data } = await get<{ data: unknown[] }>(sandbox, `/api/events?filter=${filter}`);
    assert.deepEqual(data, []);
  });

  it('gives a metric a different id in every account', async (t) => {
    const switches = { unfiredMetrics: 'listed' } as const;
    const accounts = [
      await sandboxFor(t, { seed: 1, switches }),
      await sandboxFor(t, { seed: 2, switches }),
    ];
    const [one, two] = await Promise.all(
      accounts.map(async (sandbox) => (await metrics(sandbox)).data.map(({ id }) => id)),
    );
    assert.deepEqual(
      one?.filter((id) => two?.includes(id)),
      [],
    );
  });

  it('uses the older names of SMS metrics in an account that has them', async (t) => {
    const sandbox = await sandboxFor(t, { account: { oldSmsMetricNames: true } });
    optOut(sandbox);
    assert.deepEqual(names(await metrics(sandbox)), [
      'Unsubscribed from Email Marketing',
      'Unsubscribed from SMS',
    ]);
  });

  it("filters by integration: all of them are Klaviyo's own", async (t) => {
    const sandbox = await sandboxFor(t, { switches: { unfiredMetrics: 'listed' } });
    const count = async (filter: string) => (await metrics(sandbox, { filter })).data.length;
    assert.equal(await count('equals(integration.name,"Klaviyo")'), METRICS.length);
    assert.equal(await count('equals(integration.name,"Shopify")'), 0);
    assert.equal(await count('equals(integration.category,"Internal")'), METRICS.length);
    assert.equal(await count('equals(integration.category,"API")'), 0);
  });
});

describe('get_metric', () => {
  it('shows a metric as recorded ones are', async (t) => {
    const sandbox = await sandboxFor(t);
    optOut(sandbox);
    const [first] = (await metrics(sandbox)).data;
    const path = `/api/metrics/${first!.id}`;
    assert.deepEqual(await get(sandbox, path), {
      data: {
        type: 'metric',
        id: first!.id,
        attributes: {
          name: first!.attributes.name,
          created: first!.attributes.created,
          updated: first!.attributes.created,
          integration: {
            object: 'integration',
            id: '0rG4eQ',
            key: 'klaviyo',
            name: 'Klaviyo',
            category: 'Internal',
          },
        },
        relationships: {
          'flow-triggers': {
            links: {
              self: `${sandbox.url}${path}/relationships/flow-triggers/`,
              related: `${sandbox.url}${path}/flow-triggers/`,
            },
          },
        },
        links: { self: `${sandbox.url}${path}/` },
      },
      links: { self: `${sandbox.url}${path}` },
    });
    assert.match(first!.attributes.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    const { data, included } = await get<{ data: MetricPage['data'][0]; included: unknown[] }>(
      sandbox,
      `${path}?include=flow-triggers`,
    );
    assert.deepEqual([data.relationships['flow-triggers'].data, included], [[], []]);
  });

  for (const unknownIdOnGet of [404, 400] as const) {
    it(`answers ${unknownIdOnGet} for an unknown id, as the switch says`, async (t) => {
      const sandbox = await sandboxFor(t, { switches: { unknownIdOnGet } });
      const { status, errors } = await refusal(await call(sandbox, 'GET', '/api/metrics/NOPE01'));
      assert.equal(status, unknownIdOnGet);
      assert.equal(errors[0]?.[1], 'Metric with id NOPE01 does not exist.');
    });
  }
});
