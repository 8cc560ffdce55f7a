import type { MigrationSettings, SmsSetup } from '../../../contracts/migration.js';
import type { AskedRows } from '../../../ledger/index.js';
import type { TextFacts } from './facts.js';
import { rowsOf } from './words.js';

/** The account's SMS set-up, or why rows with consent to texts must not be sent. */
export type SmsReading =
  | { readonly setup: SmsSetup; readonly stop: null; readonly warning: string | null }
  | { readonly setup: null; readonly stop: string };

/**
 * The countries that texts can be sent to: read from the account if the key may, otherwise as
 * declared.
 *
 * @param rows rows that ask for consent to texts; null in a check, which has none
 */
export function smsSetup(
  facts: TextFacts,
  settings: Pick<MigrationSettings, 'smsCountries'>,
  rows: AskedRows['texts'] | null,
): SmsReading {
  const { configuration, senders } = facts;
  const who = rows === null ? 'SMS consent' : `the SMS consent of ${rowsOf(rows)}`;
  const hidden = configuration?.readable === false && configuration.status === 403;
  if (!senders.readable || configuration === null || hidden) {
    const { smsCountries } = settings;
    if (smsCountries !== null && smsCountries.length > 0) {
      return { setup: { source: 'declared', countries: smsCountries }, stop: null, warning: null };
    }
    return stopped(
      `The key may not read the SMS set-up (scope sender-config:read), which ` +
        `${who} depends on. Name the countries that have a sending number with --sms-countries ` +
        'US,CA, or leave sms out of --channels.',
    );
  }
  const active = configuration.readable && configuration.value.status === 'active';
  const countries = new Set(
    senders.value.flatMap(({ status, country }) =>
      status === 'active' && country !== null ? [country] : [],
    ),
  );
  if (!active || countries.size === 0) {
    return stopped(
      `The Klaviyo account cannot send SMS (${active ? 'it has no active sender' : 'SMS is not set up or disabled'}), ` +
        `so ${who} cannot be stored. Turn on SMS and add a sending number in Klaviyo, or leave ` +
        'sms out of --channels.',
    );
  }
  const undeclared = settings.smsCountries?.filter((country) => !countries.has(country)) ?? [];
  return {
    setup: { source: 'api', countries: [...countries].sort() },
    stop: null,
    warning:
      undeclared.length === 0
        ? null
        : `No active sender for ${undeclared.join(', ')}, although --sms-countries names it.`,
  };
}

/** Why texts to countries without a sender stop the run; null if they do not. */
export function senderStop(
  setup: SmsSetup,
  { smsWithoutSender }: Pick<MigrationSettings, 'smsWithoutSender'>,
  rows: AskedRows['texts'],
): string | null {
  if (smsWithoutSender === 'reject') return null;
  const without = rows.filter(
    ({ country }) => country === null || !setup.countries.includes(country),
  );
  if (without.length === 0) return null;
  const each = without.map(({ country, rows }) => `${country ?? 'unknown'} ${rows}`);
  const have = setup.countries.join(', ');
  return (
    `The SMS consent of ${rowsOf(without)} is for countries without an active sender: ` +
    `${each.join(', ')}. Add a sender in Klaviyo (there is one for ${have}), or use ` +
    '--sms-without-sender reject to leave out the SMS consent of these rows and report it.'
  );
}

function stopped(stop: string): SmsReading {
  return { setup: null, stop };
}
