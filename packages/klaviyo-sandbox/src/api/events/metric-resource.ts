import type { Metric } from '../../account/events/metrics.js';
import { isoDate } from '../../time/dates.js';
import type { Query } from '../query/query.js';

/** The integration of Klaviyo's own metrics, as recorded: the same in every account. */
export const INTEGRATION = {
  object: 'integration',
  id: '0rG4eQ',
  key: 'klaviyo',
  name: 'Klaviyo',
  category: 'Internal',
} as const;

/** Turns metrics into resources as the query requests them. No flow starts with a metric here. */
export function metricWriter(query: Query, origin: string): (metric: Metric) => object {
  const flows = query.includes('flow-triggers') ? { data: [] } : {};
  return ({ id, name, created }) => {
    const self = `${origin}/api/metrics/${id}/`;
    return {
      type: 'metric',
      id,
      attributes: query.pick('metric', {
        name,
        created: isoDate(created),
        updated: isoDate(created),
        integration: INTEGRATION,
      }),
      relationships: {
        'flow-triggers': {
          ...flows,
          links: {
            self: `${self}relationships/flow-triggers/`,
            related: `${self}flow-triggers/`,
          },
        },
      },
      links: { self },
    };
  };
}
