import { CONVERSATION, LIST, PROFILE, PUSH_TOKEN, SEGMENT } from '../query/field-paths.js';
import type { Filterable } from '../query/filter.js';
import { TIERS, type StricterLimit } from '../operation.js';
import type { QueryRules } from '../query/query.js';

const NAMED = { operators: ['any', 'equals'], kind: 'text' } as const;
const EQUALS = { operators: ['equals'], kind: 'text' } as const;
const SINCE_OR_UNTIL = { operators: ['greater-than', 'less-than'], kind: 'date' } as const;
const DATE = {
  operators: ['greater-or-equal', 'greater-than', 'less-or-equal', 'less-than'],
  kind: 'date',
} as const;

export const ADDITIONAL = { profile: ['subscriptions', 'predictive_analytics'] };

/** The query parameters that shape a profile in an answer. */
export const PROFILE_QUERY: QueryRules = {
  fields: { profile: PROFILE },
  additionalFields: ADDITIONAL,
};

/** `SUPPRESSION` and its inner fields: sort and filters of `get_profiles`. */
export const SUPPRESSION = 'subscriptions.email.marketing.suppression';
export const LIST_SUPPRESSIONS = 'subscriptions.email.marketing.list_suppressions';

const PROFILE_FILTERS: Filterable = {
  id: NAMED,
  email: NAMED,
  phone_number: NAMED,
  external_id: NAMED,
  _kx: EQUALS,
  created: SINCE_OR_UNTIL,
  updated: SINCE_OR_UNTIL,
  [`${LIST_SUPPRESSIONS}.reason`]: EQUALS,
  [`${LIST_SUPPRESSIONS}.timestamp`]: DATE,
  [`${LIST_SUPPRESSIONS}.list_id`]: EQUALS,
  [`${SUPPRESSION}.reason`]: EQUALS,
  [`${SUPPRESSION}.timestamp`]: DATE,
};

const TIMESTAMPS = [`${SUPPRESSION}.timestamp`, `${LIST_SUPPRESSIONS}.timestamp`];

export const PROFILE_PAGE = { default: 20, max: 100 };

const INCLUDED = { conversation: CONVERSATION, profile: PROFILE, 'push-token': PUSH_TOKEN };

export const PROFILES_QUERY: QueryRules = {
  fields: INCLUDED,
  additionalFields: ADDITIONAL,
  include: ['conversations', 'push-tokens'],
  filter: PROFILE_FILTERS,
  sort: { by: ['id', 'created', 'updated', 'email', ...TIMESTAMPS], usual: 'id' },
  page: PROFILE_PAGE,
};

export const ONE_PROFILE_QUERY: QueryRules = {
  fields: { ...INCLUDED, list: LIST, segment: SEGMENT },
  additionalFields: ADDITIONAL,
  include: ['conversations', 'lists', 'push-tokens', 'segments'],
};

/** Predictive analytics have their own counter, shared by all operations that offer them. */
export const PREDICTIVE_LIMIT: StricterLimit = {
  parameter: 'additional-fields[profile]',
  value: 'predictive_analytics',
  limit: { name: 'predictive_analytics', limit: TIERS.M },
};

/** Looking up the groups of a profile costs more. */
export const GROUP_LIMITS: readonly StricterLimit[] = ['lists', 'segments'].map((value) => ({
  parameter: 'include',
  value,
  limit: { name: `profile include ${value}`, limit: TIERS.XS },
}));
