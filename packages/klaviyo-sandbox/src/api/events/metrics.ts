import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';
import { unknownId } from '../unknown-id.js';
import { INTEGRATION, metricWriter } from './metric-resource.js';

/** `get_metrics`: in the order of their ids, as recorded. */
export function getMetrics(call: Call): Reply {
  const { account, query, url } = call;
  const { found, links } = pageOfFew(call, account.journal.metrics.all(), () => ({
    'integration.name': INTEGRATION.name,
    'integration.category': INTEGRATION.category,
  }));
  const data = found.map(metricWriter(query, url.origin));
  return { status: 200, body: { data, ...includedFlows(query), links } };
}

/** `get_metric` */
export function getMetric({ account, id, query, url }: Call): Reply {
  const metric = account.journal.metrics.withId(id);
  if (metric === undefined) throw unknownId(account, 'metric', id);
  const data = metricWriter(query, url.origin)(metric);
  return { status: 200, body: { data, ...includedFlows(query), links: { self: url.href } } };
}

const includedFlows = (query: Call['query']) =>
  query.includes('flow-triggers') ? { included: [] } : {};
