import type { OpenPart } from '../ledger/index.js';
import { OPERATIONS } from './operations/index.js';
import type { GuardVerdict } from './operations/operation.js';
import type { GuardedRun } from './opt-outs.js';
import type { Known } from './person.js';

/** Decides whether a part may be sent; each operation has its own rule. */
export function guardPart(
  { operation, channel }: OpenPart,
  known: Known,
  run: GuardedRun,
): GuardVerdict {
  return OPERATIONS[operation].guard(channel, known, run);
}
