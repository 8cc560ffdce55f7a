import type { OptInProcess } from '../../../contracts/channels.js';
import type { MigrationSettings } from '../../../contracts/migration.js';

/**
 * Nobody gets a double opt-in message by surprise, and nobody is opted in singly by surprise.
 *
 * @param listProcess null without a list, and where Klaviyo does not say
 * @param who who would be subscribed, `1,200 rows`
 * @returns why the run must not start; null where it may
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
      `: say for ${who} which one it is with --opt-in single or --opt-in double.`
    );
  }
  if (expectedOptIn === null && listProcess === 'double_opt_in') {
    return (
      `List ${listId ?? ''} is a double opt-in list: Klaviyo would ask ${who} to confirm with a ` +
      'message. Give --opt-in double if that is meant, --historical to import consent that was ' +
      'given before, or another list.'
    );
  }
  if (expectedOptIn !== null && expectedOptIn !== listProcess) {
    return (
      `List ${listId ?? ''} is ${listProcess}, and --opt-in expects ${expectedOptIn} for ${who}. ` +
      'Change the list’s opt-in process in Klaviyo, choose another list, or correct --opt-in.'
    );
  }
  return null;
}
