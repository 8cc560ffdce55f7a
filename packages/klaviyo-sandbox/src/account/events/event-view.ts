import { isoDate } from '../../time/dates.js';
import { eventId, eventUuid } from '../../store/events/event-id.js';
import type { StoredEvent } from '../../store/events/event-store.js';
import type { Core } from '../core.js';

/** An event as the API and the webhooks show it. */
export interface EventView {
  type: 'event';
  id: string;
  attributes: {
    /** Epoch seconds. */
    timestamp: number;
    event_properties: Record<string, unknown>;
    datetime: string;
    uuid: string;
  };
  relationships: Record<'profile' | 'metric', object>;
  links: { self: string };
}

/** @param origin of the links, e.g. `https://a.klaviyo.com` */
export function eventView(core: Core, event: number, origin: string): EventView {
  const { journal, profiles, settings } = core;
  const stored = journal.events.get(event);
  const timestamp = stored.time / 1_000;
  const id = eventId(settings.seed, event);
  const self = `${origin}/api/events/${id}/`;
  const related = (type: 'profile' | 'metric', relatedId: string) => ({
    data: { type, id: relatedId },
    links: { self: `${self}relationships/${type}/`, related: `${self}${type}/` },
  });
  return {
    type: 'event',
    id,
    attributes: {
      timestamp,
      datetime: isoDate(stored.time),
      event_properties: propertiesOf(core, stored, timestamp),
      uuid: eventUuid(settings.seed, event, timestamp),
    },
    relationships: {
      profile: related('profile', profiles.id(stored.profile)),
      metric: related('metric', journal.metrics.idOf(stored.metric)),
    },
    links: { self },
  };
}

/**
 * List events carry the list's name as it was then, which connectors that copy them rely on. For an event without
 * its own id, `$event_id` is its time in seconds. Other properties that Klaviyo may add are not
 * recorded anywhere.
 */
function propertiesOf({ lists }: Core, { listId, time }: StoredEvent, timestamp: number) {
  const $event_id = String(timestamp);
  return listId === null
    ? { $event_id }
    : { List: lists.get(listId)?.nameAt(time) ?? listId, $event_id };
}
