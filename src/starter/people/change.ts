import { isPhoneChannel, type ConsentChannel, type Operation } from '../../contracts/channels.js';
import type { Person } from '../../contracts/person.js';
import { openPerson } from '../../importers/index.js';
import type { MigrationRequest } from '../migrations/request/migration-request.js';
import { parseRequest } from '../migrations/request/parse.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import { importOptions } from '../migrations/settings.js';
import { startFrom, type StartedMigration } from '../migrations/start.js';
import type { Reach } from '../reach.js';

/** What is done for one person; the settings are those of a migration. */
export interface PersonChange extends Pick<
  MigrationRequest,
  'account' | 'listId' | 'optIn' | 'unsubscribeFrom' | 'floor' | 'approvalAbove' | 'timing'
> {
  readonly person: Person;
  readonly operation: Operation;
  /** For `subscribe` and `unsubscribe`. Default: e-mail for an address, texts for a number. */
  readonly channels?: readonly ConsentChannel[] | undefined;
  /** Why, for the ledger; Klaviyo stores it as the source of a subscribe. */
  readonly reason?: string | null | undefined;
}

/**
 * Starts a migration of one row: the same guard, calls, read-back and report as for a file.
 *
 * @throws SettingsError
 */
export async function startChange(reach: Reach, change: PersonChange): Promise<StartedMigration> {
  const { person, operation, reason = null, ...settings } = change;
  const channels = change.channels ?? [person.by === 'email' ? 'email' : 'sms'];
  requireIdentifier(change, channels);
  const request = parseRequest({
    // Whoever asks for one person wants the message sent: they may have lost the last one.
    askAgainDays: 0,
    ...settings,
    file: 'one person',
    channels,
    customSource: reason,
    ...(operation === 'subscribe' ? {} : { operation }),
  });
  // The row says what is asked; the operation is only there for the rules of a request.
  const options = {
    ...importOptions(request, null),
    operation: null,
    consent: 'explicit' as const,
  };
  const source = await openPerson({ person, operation, channels }, options);
  try {
    return await startFrom(
      reach,
      { source, older: null },
      { request: { ...request, operation: null }, options, program: null },
    );
  } finally {
    await source.close();
  }
}

function requireIdentifier(
  { person, operation }: PersonChange,
  channels: readonly ConsentChannel[],
): void {
  const isEmail = person.by === 'email';
  if ((operation === 'suppress' || operation === 'unsuppress') && !isEmail) {
    throw new SettingsError(
      'Only an e-mail address can be suppressed: give the address, or unsubscribe the phone number.',
    );
  }
  if (operation !== 'subscribe' && operation !== 'unsubscribe') return;
  const other = channels.find(
    (channel) => channel !== 'push' && isPhoneChannel(channel) === isEmail,
  );
  if (other === undefined) return;
  throw new SettingsError(
    isEmail
      ? `Consent to ${other} belongs to a phone number: give the number instead of the address.`
      : `Consent to ${other} belongs to an e-mail address: give the address instead of the number.`,
  );
}
