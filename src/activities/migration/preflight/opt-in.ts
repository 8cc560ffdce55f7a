import type { OptInProcess } from '../../../contracts/channels.js';
import type { MigrationSettings } from '../../../contracts/migration.js';

/**
 * Nobody gets an unexpected double opt-in message, and nobody gets an unexpected single opt-in.
 *
 * @param listProcess null without a list, or if Klaviyo does not say
 * @param who who would be subscribed, `1,200 rows`
 * @returns why the run must not start; null if it may
 */
export function optInStop(
  { expectedOptIn, historicalImport, listId }: MigrationSettings,
  listProcess: OptInProcess | null,
  who: string,
): string | null {
  if (historicalImport) return null;
  if (listProcess === null) {
    if (expectedOptIn !== null) return null;
    return (
      (listId === null
        ? 'Without a list the account’s default opt-in process applies, which the API does not show'
        : `Klaviyo does not say which opt-in process list ${listId} has`) +
      `: state which one applies to ${who} with --opt-in single or --opt-in double.`
    );
  }
  if (expectedOptIn === null && listProcess === 'double_opt_in') {
    return (
      `List ${listId ?? ''} is a double opt-in list: Klaviyo would ask ${who} to confirm with a ` +
      'message. Use --opt-in double if that is intended, --historical to import consent that ' +
      'was given before, or choose another list.'
    );
  }
  if (expectedOptIn !== null && expectedOptIn !== listProcess) {
    return (
      `List ${listId ?? ''} is ${listProcess}, but --opt-in expects ${expectedOptIn} for ${who}. ` +
      'Change the list’s opt-in process in Klaviyo, choose another list, or correct --opt-in.'
    );
  }
  return null;
}
