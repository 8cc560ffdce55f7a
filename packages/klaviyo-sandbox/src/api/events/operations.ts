import { ATTRIBUTION, EVENT, FLOW, METRIC, PLAIN_PROFILE } from '../query/field-paths.js';
import type { Filterable } from '../query/filter.js';
import { TIERS, type Operation } from '../operation.js';
import type { QueryRules } from '../query/query.js';
import { getEvent, getEvents } from './events.js';
import { getMetric, getMetrics } from './metrics.js';

const EVENT_QUERY: QueryRules = {
  fields: { attribution: ATTRIBUTION, event: EVENT, metric: METRIC, profile: PLAIN_PROFILE },
  include: ['attributions', 'metric', 'profile'],
};
const METRIC_QUERY: QueryRules = {
  fields: { flow: FLOW, metric: METRIC },
  include: ['flow-triggers'],
};
const COMPARED = ['greater-or-equal', 'greater-than', 'less-or-equal', 'less-than'];
const EVENT_FILTERS: Filterable = {
  metric_id: { operators: ['equals'], kind: 'text' },
  profile_id: { operators: ['equals'], kind: 'text' },
  profile: { operators: ['has'], kind: 'none' },
  metric: { operators: ['has'], kind: 'none' },
  datetime: { operators: COMPARED, kind: 'date' },
  timestamp: { operators: COMPARED, kind: 'number' },
};
const METRIC_FILTERS: Filterable = {
  'integration.name': { operators: ['equals'], kind: 'text' },
  'integration.category': { operators: ['equals'], kind: 'text' },
};

export const eventOperations: readonly Operation[] = [
  {
    name: 'get_events',
    method: 'GET',
    path: '/api/events',
    scopes: ['events:read'],
    limit: TIERS.XL,
    query: {
      ...EVENT_QUERY,
      filter: EVENT_FILTERS,
      // The default order is not documented.
      sort: { by: ['datetime', 'timestamp'], usual: '-datetime' },
      page: { default: 200, max: 1_000 },
    },
    handle: getEvents,
  },
  {
    name: 'get_event',
    method: 'GET',
    path: '/api/events/{id}',
    scopes: ['events:read'],
    limit: TIERS.M,
    query: EVENT_QUERY,
    handle: getEvent,
  },
  {
    name: 'get_metrics',
    method: 'GET',
    path: '/api/metrics',
    scopes: ['metrics:read'],
    limit: TIERS.M,
    query: { ...METRIC_QUERY, filter: METRIC_FILTERS, page: 'cursor' },
    handle: getMetrics,
  },
  {
    name: 'get_metric',
    method: 'GET',
    path: '/api/metrics/{id}',
    scopes: ['metrics:read'],
    limit: TIERS.M,
    query: METRIC_QUERY,
    handle: getMetric,
  },
];
