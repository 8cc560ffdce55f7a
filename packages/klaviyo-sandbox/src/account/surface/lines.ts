import { isoDate, isoDateOrNull } from '../../time/dates.js';
import type { Confirmation } from '../consent/confirmations.js';
import type { Core } from '../core.js';
import { subscriptionsOf, type SubscriptionsView } from '../consent/subscriptions-view.js';

/** The true state of one profile, whatever the API has shown so far. */
export interface TruthLine {
  id: string;
  email: string | null;
  phone_number: string | null;
  created: string;
  updated: string;
  subscriptions: SubscriptionsView;
  lists: { id: string; joined_group_at: string }[];
}

/** One person's double opt-in messages for one list. */
export interface MessageLine {
  channel: 'email' | 'sms';
  to: string;
  list_id: string | null;
  sent_at: string;
  count: number;
  clicked_at: string | null;
}

export function truthOf({ profiles, lists }: Core, index: number): TruthLine {
  return {
    id: profiles.id(index),
    email: profiles.shownEmail(index),
    phone_number: profiles.phone(index),
    created: isoDate(profiles.created(index)),
    updated: isoDate(profiles.updated(index)),
    subscriptions: subscriptionsOf(profiles, index),
    lists: lists.all().flatMap((list) => {
      const joined = list.joinedAt(index);
      return joined === undefined ? [] : [{ id: list.id, joined_group_at: isoDate(joined) }];
    }),
  };
}

export function messageOf(confirmation: Confirmation<unknown>): MessageLine {
  return {
    channel: confirmation.channel,
    to: confirmation.to,
    list_id: confirmation.listId,
    sent_at: isoDate(confirmation.sentAt),
    count: confirmation.count,
    clicked_at: isoDateOrNull(confirmation.clickedAt),
  };
}
