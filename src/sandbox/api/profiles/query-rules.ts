import { PROFILE } from '../field-paths.js';
import type { Filterable } from '../filter.js';
import { TIERS, type StricterLimit } from '../operation.js';
import type { QueryRules } from '../query.js';

const NAMED = { operators: ['any', 'equals'], kind: 'text' } as const;
const SINCE_OR_UNTIL = { operators: ['greater-than', 'less-than'], kind: 'date' } as const;

export const ADDITIONAL = { profile: ['subscriptions', 'predictive_analytics'] };

/** What shapes a profile in an answer. */
export const PROFILE_QUERY: QueryRules = {
  fields: { profile: PROFILE },
  additionalFields: ADDITIONAL,
};

export const PROFILE_FILTERS: Filterable = {
  id: NAMED,
  email: NAMED,
  phone_number: NAMED,
  created: SINCE_OR_UNTIL,
  updated: SINCE_OR_UNTIL,
};

/** What members of a list or segment are filtered by. */
export const MEMBER_FILTERS: Filterable = {
  email: NAMED,
  phone_number: NAMED,
  joined_group_at: {
    operators: ['greater-or-equal', 'greater-than', 'less-or-equal', 'less-than'],
    kind: 'date',
  },
};

export const PROFILE_PAGE = { default: 20, max: 100 };

/** Predictive analytics have a counter of their own, shared by all operations that offer them. */
export const PREDICTIVE_LIMIT: StricterLimit = {
  parameter: 'additional-fields[profile]',
  value: 'predictive_analytics',
  limit: { name: 'predictive_analytics', limit: TIERS.M },
};
