import type { Operation } from '../../contracts/channels.js';
import { addToList } from './add-to-list.js';
import type { OperationRecord } from './operation.js';
import { removeFromList } from './remove-from-list.js';
import { subscribe } from './subscribe.js';
import { suppress } from './suppress.js';
import { unsubscribe } from './unsubscribe.js';
import { unsuppress } from './unsuppress.js';

/**
 * Every operation, in the order in which jobs are started: removals come before additions, so that
 * no later step can mail a person whom an earlier one removes.
 */
export const OPERATIONS: Readonly<Record<Operation, OperationRecord>> = {
  suppress,
  unsubscribe,
  remove_from_list: removeFromList,
  unsuppress,
  add_to_list: addToList,
  subscribe,
};

export const ALL_OPERATIONS: readonly OperationRecord[] = Object.values(OPERATIONS);
