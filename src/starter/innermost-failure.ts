import { ApplicationFailure } from '@temporalio/common';

/** The failure that an activity threw, below the failures that workflows wrap around it. */
export function innermost(error: Error): ApplicationFailure | null {
  let found: ApplicationFailure | null = null;
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure) found = at;
  }
  return found;
}
