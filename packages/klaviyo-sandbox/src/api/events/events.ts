import type { SandboxAccount } from '../../account/account.js';
import { shownMetric } from '../../account/events/shown-metric.js';
import { eventView } from '../../account/events/event-view.js';
import { eventId, eventNumber, looksLikeEventId } from '../../store/events/event-id.js';
import type { Place } from '../../store/events/time-index.js';
import { refuse } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { linksOf } from '../page.js';
import { profileWriter } from '../profiles/resource/profile-resource.js';
import type { Query } from '../query/query.js';
import { unknownId } from '../unknown-id.js';
import { eventChoice } from './event-filter.js';
import { metricWriter } from './metric-resource.js';

/** Epoch seconds and id of the last event of a page. */
type Cursor = readonly [time: number, id: string];

/** `get_events` */
export function getEvents({ account, query, url }: Call): Reply {
  const { seed } = account.settings;
  const { size, after } = query.page(isCursor);
  const { events } = account.journal;
  const { profile, ...choice } = eventChoice(account, query.conditions);
  const found: number[] = [];
  let more = false;
  if (profile !== null) {
    // An event without a metric passes every filter except this one.
    const wantsNamed = query.conditions.some(
      ({ operator, field }) => operator === 'has' && field === 'metric',
    );
    const walk = events.walk({
      ...choice,
      ...(profile === undefined ? {} : { profile }),
      descending: query.sort.descending,
      after: after && placeOf(seed, after),
    });
    for (const event of walk) {
      if (wantsNamed && shownMetric(account, event) !== 'named') continue;
      more = found.length === size;
      if (more) break;
      found.push(event);
    }
  }
  const data = found.map((event) => eventResource(account, query, url.origin, event));
  const last = found.at(-1);
  const cursor =
    more && last !== undefined ? [events.get(last).time / 1_000, eventId(seed, last)] : null;
  return {
    status: 200,
    body: { data, ...includedWith(account, query, url.origin, found), links: linksOf(url, cursor) },
  };
}

/** `get_event`. A malformed id is refused with the recorded wording. */
export function getEvent({ account, id, query, url }: Call): Reply {
  if (!looksLikeEventId(id)) throw refuse('/data/id', `Invalid Event ID: '${id}'`);
  const event = eventNumber(account.settings.seed, id);
  if (event === undefined || !account.journal.events.has(event)) {
    throw unknownId(account, 'event', id);
  }
  const data = eventResource(account, query, url.origin, event);
  return {
    status: 200,
    body: { data, ...includedWith(account, query, url.origin, [event]), links: { self: url.href } },
  };
}

function eventResource(account: SandboxAccount, query: Query, origin: string, event: number) {
  const view = eventView(account, event, origin);
  const { profile, metric } = view.relationships;
  const shown = shownMetric(account, event);
  const links = 'links' in metric ? metric.links : undefined;
  const relationships = {
    profile,
    ...(shown === 'named' ? { metric } : {}),
    ...(shown === 'unknown' ? { metric: { data: { type: 'metric', id: 'NoMtrc' }, links } } : {}),
  };
  return { ...view, attributes: query.pick('event', view.attributes), relationships };
}

/** Subscription events are attributed to no message, so `attributions` adds nothing. */
function includedWith(
  account: SandboxAccount,
  query: Query,
  origin: string,
  found: readonly number[],
): { included?: object[] } {
  const [metrics, profiles] = [query.includes('metric'), query.includes('profile')];
  if (!metrics && !profiles && !query.includes('attributions')) return {};
  const stored = found.map((event) => account.journal.events.get(event));
  const included: object[] = [];
  if (metrics) {
    const write = metricWriter(query, origin);
    const named = found.filter((event) => shownMetric(account, event) === 'named');
    const shown = named.map((event) => account.journal.events.get(event).metric);
    for (const metric of new Set(shown)) {
      included.push(write(account.journal.metrics.of(metric)));
    }
  }
  if (profiles) {
    const write = profileWriter(account, query, origin);
    for (const profile of new Set(stored.map((event) => event.profile))) {
      if (account.profiles.isAlive(profile)) included.push(write(profile));
    }
  }
  return { included };
}

function isCursor(value: unknown): value is Cursor {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'string';
}

const placeOf = (seed: number, [time, id]: Cursor): Place => ({
  time,
  member: eventNumber(seed, id) ?? 0,
});
