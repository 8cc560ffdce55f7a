import {
  defineSearchAttributeKey,
  SearchAttributeType,
  type SearchAttributePair,
} from '@temporalio/common/lib/search-attributes.js';
import { SEARCH_ATTRIBUTES } from '../contracts/names.js';
import type { ActivationState } from '../contracts/activation.js';
import type { Operation } from '../contracts/channels.js';
import type { Phase, Preflight, Progress } from '../contracts/migration.js';

const phaseKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);
const accountKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.account, SearchAttributeType.KEYWORD);
const listKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.list, SearchAttributeType.KEYWORD);
const operationKey = defineSearchAttributeKey(
  SEARCH_ATTRIBUTES.operation,
  SearchAttributeType.KEYWORD,
);
const failedKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.failed, SearchAttributeType.INT);
const pendingKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.pending, SearchAttributeType.INT);

export function accountAttributes(preflight: Preflight): SearchAttributePair[] {
  return [
    { key: accountKey, value: preflight.accountId },
    ...(preflight.list === null ? [] : [{ key: listKey, value: preflight.list.id }]),
  ];
}

export function phaseAttributes(phase: Phase, progress: Progress): SearchAttributePair[] {
  const { outcomes } = progress;
  return [
    { key: phaseKey, value: phase },
    { key: failedKey, value: (outcomes.rejected ?? 0) + (outcomes.unconfirmed ?? 0) },
    { key: pendingKey, value: outcomes.pending_double_opt_in ?? 0 },
  ];
}

/** Of a run of a segment. */
export function stateAttributes(state: ActivationState): SearchAttributePair[] {
  return [{ key: phaseKey, value: state }];
}

export function jobAttributes(operation: Operation): SearchAttributePair[] {
  return [{ key: operationKey, value: operation }];
}
