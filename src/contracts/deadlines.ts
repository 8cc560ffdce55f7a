import type { Operation } from './channels.js';
import type { MigrationTiming } from './migration.js';

/** How long Klaviyo is given to show what it accepted, in milliseconds. */
export function deadlineOf(
  operation: Operation,
  timing: Pick<MigrationTiming, 'suppressionWithinMs' | 'membershipWithinMs' | 'confirmWithinMs'>,
): number {
  if (operation === 'suppress') return timing.suppressionWithinMs;
  return operation === 'add_to_list' ? timing.membershipWithinMs : timing.confirmWithinMs;
}
