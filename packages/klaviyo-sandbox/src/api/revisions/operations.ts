/**
 * The operations of revision 2026-10-15. Operations are declared as in 2026-07-15, and this table
 * lists the changes. Source: the official Python client `klaviyo-api`, 25.0.0 (2026-10-15) compared
 * with 24.0.0 (2026-07-15); Klaviyo's specification of the new revision was not available. What the
 * client does not show is marked as assumed. For bodies and answers, see `forms.ts`.
 */
import { TIERS, type Operation } from '../operation.js';
import type { QueryRules } from '../query/query.js';
import { SENDERS_QUERY } from '../text-messaging/query-rules.js';
import { OLDEST, type RevisionDate } from './forms.js';

type Change = Partial<Pick<Operation, 'limit' | 'query'>>;

/**
 * Text messaging left the beta: other names (without `_beta`), other limits. The bulk export did
 * not; we assume that it stays a beta of the new date.
 */
const LEFT_BETA: Readonly<Record<string, Change>> = {
  create_text_messaging_configuration_beta: { limit: TIERS.XS },
  get_text_messaging_configuration_beta: { limit: TIERS.S },
  get_text_messaging_senders_beta: { limit: TIERS.S },
  create_text_messaging_sender_beta: { limit: TIERS.XS, query: SENDERS_QUERY },
  get_text_messaging_sender_beta: { limit: TIERS.S },
  get_messaging_sender_registration_for_text_messaging_sender_beta: { limit: TIERS.S },
  get_messaging_sender_registration_id_for_text_messaging_sender_beta: { limit: TIERS.S },
};

/** Cached per operation, because every request needs it. */
const asOfNewest = new WeakMap<Operation, Operation>();

/** The operation in a revision; undefined if the revision does not have it. */
export function operationAt(operation: Operation, date: RevisionDate): Operation | undefined {
  if (operation.since !== undefined && date < operation.since) return undefined;
  if (date === OLDEST) return operation;
  let changed = asOfNewest.get(operation);
  if (changed === undefined) {
    changed = changedIn202610(operation);
    asOfNewest.set(operation, changed);
  }
  return changed;
}

function changedIn202610(operation: Operation): Operation {
  const change = LEFT_BETA[operation.name];
  const all = { ...operation, ...change };
  const { query } = all;
  const same = query === undefined ? all : { ...all, query: withClickTracking(query) };
  if (change === undefined) return same;
  const { revision: _, ...general } = same;
  return { ...general, name: operation.name.replace(/_beta$/, '') };
}

const OPEN_TRACKING = /^subscriptions\.email\.open_tracking(\.|$)/;

/** Assumed: `fields` can name the same parts of click tracking as of open tracking. */
function withClickTracking({ fields, ...rules }: QueryRules): QueryRules {
  if (fields === undefined) return rules;
  const all = Object.entries(fields).map(([type, paths]) => {
    const added = paths.filter((path) => OPEN_TRACKING.test(path));
    const names = added.map((path) => path.replace('open_tracking', 'click_tracking'));
    return [type, [...paths, ...names]] as const;
  });
  return { ...rules, fields: Object.fromEntries(all) };
}
