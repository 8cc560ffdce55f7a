import type { Sandbox } from '../src/index.js';
import { knownEmail, NEWSLETTER, TEXTED } from './account.js';
import type { Request } from './requests.js';

/** A measurement of one kind of call. */
export interface Case {
  name: string;
  /** The nth call; `previous` is the text of the previous answer. */
  request: (n: number, previous: string | undefined) => Request;
  /** Untimed calls before the timed ones. @default 3 */
  warmUp?: number;
  calls: number;
  /** ms, for half of the calls. */
  target?: number;
  /** The accepted call takes effect later: that is measured as well. */
  takesEffect?: boolean;
}

const PAGE = 100;
const PAGE_TARGET = 5;
const CALLS = 200;
const SUBSCRIPTIONS = 'additional-fields[profile]=subscriptions';

type Parameters = Readonly<Record<string, string | number>>;

const withQuery = (path: string, parameters: Parameters): string => {
  const query = Object.entries(parameters).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `${path}?${query.join('&')}`;
};

/** Path of the next page; null after the last. */
function following(previous: string): string | null {
  const { links } = JSON.parse(previous) as { links?: { next?: string | null } };
  if (typeof links?.next !== 'string') return null;
  const { pathname, search } = new URL(links.next);
  return pathname + search;
}

/** Page after page, starting again after the last. */
function walk(operation: string, path: string, parameters: Parameters): Case['request'] {
  const first = withQuery(path, parameters);
  return (_, previous) => ({
    operation,
    path: (previous === undefined ? null : following(previous)) ?? first,
  });
}

/** `any(field,[…])` of a hundred people somewhere in the account. */
const anyOf = (field: string, values: readonly string[]): string =>
  `any(${field},[${values.map((value) => JSON.stringify(value)).join(',')}])`;

export function readCases({ account }: Sandbox): Case[] {
  const profiles = account.profiles.size;
  const someone = (n: number, i: number) => (n * 7_919 + i * 104_729) % profiles;
  const hundred = <T>(n: number, of: (i: number) => T): T[] =>
    Array.from({ length: PAGE }, (_, i) => of(someone(n, i)));
  const page = (name: string, parameters: Parameters): Case => ({
    name,
    calls: CALLS,
    target: PAGE_TARGET,
    request: walk('get_profiles', '/api/profiles', { 'page[size]': PAGE, ...parameters }),
  });
  const named = (name: string, operation: string, path: string, filter: (n: number) => string) => ({
    name,
    calls: CALLS,
    target: PAGE_TARGET,
    request: (n: number) => ({
      operation,
      path: `${withQuery(path, { filter: filter(n), 'page[size]': PAGE })}&${SUBSCRIPTIONS}`,
    }),
  });
  const subscriptions = { 'additional-fields[profile]': 'subscriptions' };
  const members = `/api/lists/${NEWSLETTER}/profiles`;
  const deep = Math.max(
    3,
    Math.min(2_000, Math.floor((account.lists.get(NEWSLETTER)?.size ?? 0) / PAGE) - CALLS - 1),
  );
  return [
    page('profiles: 100', {}),
    page('profiles: 100 with subscriptions', subscriptions),
    page('profiles: 100, only their id', { 'fields[profile]': 'id' }),
    page('profiles: 100 by -updated', { sort: '-updated', ...subscriptions }),
    page('profiles: 100 by email', { sort: 'email', ...subscriptions }),
    page('profiles: 100 updated since', {
      filter: 'greater-than(updated,2024-06-01T00:00:00Z)',
      sort: 'updated',
      ...subscriptions,
    }),
    page('profiles: 100 suppressed since', {
      filter:
        'greater-than(subscriptions.email.marketing.suppression.timestamp,2024-06-01T00:00:00Z)',
      ...subscriptions,
    }),
    named('profiles: any of 100 emails', 'get_profiles', '/api/profiles', (n) =>
      anyOf(
        'email',
        hundred(n, (i) => knownEmail(account, i)),
      ),
    ),
    named('profiles: any of 100 ids', 'get_profiles', '/api/profiles', (n) =>
      anyOf(
        'id',
        hundred(n, (i) => account.profiles.id(i)),
      ),
    ),
    {
      name: 'list members: 100 from the first page on',
      calls: CALLS,
      target: PAGE_TARGET,
      request: walk('get_profiles_for_list', members, { 'page[size]': PAGE, ...subscriptions }),
    },
    {
      name: `list members: 100 from page ${deep.toLocaleString('en')} on`,
      warmUp: deep,
      calls: CALLS,
      target: PAGE_TARGET,
      request: walk('get_profiles_for_list', members, { 'page[size]': PAGE, ...subscriptions }),
    },
    named('list members: any of 100 emails', 'get_profiles_for_list', members, (n) =>
      anyOf(
        'email',
        hundred(n, (i) => knownEmail(account, i)),
      ),
    ),
    {
      name: 'segment members: 100',
      calls: CALLS,
      target: PAGE_TARGET,
      request: walk('get_profiles_for_segment', `/api/segments/${TEXTED}/profiles`, {
        'page[size]': PAGE,
        ...subscriptions,
      }),
    },
  ];
}

/** Run after events exist: a thousand of one metric, whose id differs in every account. */
export function eventCases(): Case[] {
  const page = (name: string, parameters: Parameters): Case => {
    let first = '';
    return {
      name,
      calls: 20,
      request: (n, previous = '{}') => {
        if (n === 0) return { operation: 'get_metrics', path: '/api/metrics' };
        if (n === 1) {
          const filter = `equals(metric_id,"${metricIn(previous)}")`;
          first = withQuery('/api/events', { filter, 'page[size]': 1_000, ...parameters });
        }
        const path = n === 1 ? first : (following(previous) ?? first);
        return { operation: 'get_events', path };
      },
    };
  };
  return [
    page('events: 1,000 of a metric', {}),
    page('events: 1,000 of a metric with profiles', {
      include: 'profile',
      'fields[profile]': 'email',
    }),
  ];
}

function metricIn(answer: string): string {
  const { data } = JSON.parse(answer) as { data: { id: string; attributes: { name: string } }[] };
  const metric = data.find(({ attributes }) => attributes.name === 'Subscribed to Email Marketing');
  if (metric === undefined) throw new Error('no metric of subscribes');
  return metric.id;
}
