import type { Sandbox } from '../../src/index.js';
import { call, UNSUBSCRIBE } from '../support.js';

export const IN = { consent: 'SUBSCRIBED' };
export const OUT = { consent: 'UNSUBSCRIBED' };

/** One row with exactly these attributes. */
export const profile = (attributes: object, id?: string) => ({
  type: 'profile',
  attributes,
  ...(id === undefined ? {} : { id }),
});

export function unsubscribe(
  sandbox: Sandbox,
  rows: readonly object[],
  list?: string,
): Promise<Response> {
  return call(sandbox, 'POST', UNSUBSCRIBE, {
    data: {
      type: 'profile-subscription-bulk-delete-job',
      attributes: { profiles: { data: rows.map((attributes) => profile(attributes)) } },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list } } } }),
    },
  });
}

/** The subscription events so far: metric and list, in order of their times, with whole seconds. */
export function eventsOf(
  sandbox: Sandbox,
): { metric: string; list: string | null; time: number }[] {
  const { events } = sandbox.account.journal;
  const span = { from: 0, to: Number.MAX_SAFE_INTEGER, descending: false, after: null };
  return [...events.walk(span)].map((event) => {
    const { metric, listId, time } = events.get(event);
    return { metric, list: listId, time };
  });
}

export const metricsOf = (sandbox: Sandbox): string[] =>
  eventsOf(sandbox)
    .map(({ metric, list }) => (list === null ? metric : `${metric} ${list}`))
    .sort();
