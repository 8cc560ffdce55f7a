import { z } from 'zod';
import { CONSENT_CHANNELS } from '../../../contracts/channels.js';
import { ENCODINGS } from '../../../connectors/files/encodings.js';
import { PRESET_NAMES } from '../../../importers/presets/names.js';
import { choice, optional, setting, text } from './setting.js';

const channelError = `give one or more of ${CONSENT_CHANNELS.join(', ')}`;

const listOfChannels = z.array(z.enum(CONSENT_CHANNELS, { error: channelError }), {
  error: channelError,
});

/** Each channel once and in a fixed order, so that equal requests have equal hashes. */
const inOrder = <Channel extends string>(named: readonly Channel[]): Channel[] =>
  [...new Set(named)].sort();

const channels = listOfChannels.min(1, channelError).transform(inOrder);

/** The same, and none: where that is an answer. */
export const channelsOrNone = listOfChannels.transform(inOrder);

const countryError = 'give a two-letter country code of ISO 3166-1, such as US';

export const country = z
  .string({ error: countryError })
  .trim()
  .regex(/^[A-Za-z]{2}$/, countryError)
  .toUpperCase();

/** What is read, and how. */
export const sourceSettings = {
  file: setting(text('give the path of a file, or the address of a database'), {
    says: 'path of the source file, or address of its database',
  }),
  query: setting(optional(text('give one SQL SELECT')), {
    says: 'query whose rows are the source, on PostgreSQL or MySQL',
    flag: { spelling: '--query <sql>', verbs: ['migrate', 'map'] },
  }),
  encoding: setting(optional(choice(ENCODINGS)), {
    says: `character encoding of the source file: ${ENCODINGS.join(', ')}`,
    otherwise: 'as its bytes show',
    flag: { spelling: '--encoding <name>', verbs: ['migrate', 'map'] },
  }),
  since: setting(optional(text('give the path of the export that was migrated before')), {
    says: 'older export, migrated before: only what changed since it is run',
    otherwise: 'every row is run',
    flag: { spelling: '--since <file>' },
  }),
  channels: setting(channels.prefault(['email']), {
    says: `channels that the source has consent for: ${CONSENT_CHANNELS.join(', ')}`,
    flag: { spelling: '--channels <names>', verbs: ['migrate', 'check', 'map'] },
  }),
  preset: setting(optional(choice(PRESET_NAMES)), {
    says: 'preset that reads the source',
    otherwise: 'recognised',
    flag: { spelling: '--preset <name>' },
  }),
  mapping: setting(optional(text('give the path of a mapping file')), {
    says: 'mapping file for a source without a preset; consentry map writes one',
    flag: { spelling: '--map <file>' },
  }),
  smsColumn: setting(optional(text('give the name of a column')), {
    says: 'column with the phone number',
    otherwise: 'the preset’s column',
    flag: { spelling: '--sms-column <name>' },
  }),
  country: setting(optional(country), {
    says: 'country of phone numbers without a country code, such as US',
    flag: { spelling: '--country <code>' },
  }),
  timezone: setting(optional(text('give an IANA time zone, such as Europe/Berlin')), {
    says: 'time zone of dates that have none, such as Europe/Berlin',
    flag: { spelling: '--timezone <name>' },
  }),
  consentedAt: setting(optional(text('give a date such as 2024-05-01')), {
    says: 'consent date, attested by you, for rows without one: 2024-05-01 or with time and zone',
    flag: { spelling: '--consented-at <date>' },
  }),
  attested: setting(optional(text('say who gave consent, when and how')), {
    says: 'who consented, when and how, attested by you, for rows of which an export records neither consent nor an opt-out',
    otherwise: 'such rows are left alone',
    flag: { spelling: '--attested <words>' },
  }),
  undated: setting(optional(choice(['subscribe', 'list_only', 'reject'])), {
    says: 'what happens to a subscribe without a date',
    otherwise: 'subscribe; a historical run stops',
    flag: { spelling: '--undated <what>' },
  }),
};
