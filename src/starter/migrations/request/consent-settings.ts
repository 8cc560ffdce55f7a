import { IANAZone } from 'luxon';
import { z } from 'zod';
import { SAME_FOR_ALL } from '../../../importers/options.js';
import { choice, optional, setting, text, whole, yesOrNo } from './setting.js';
import { country } from './source-settings.js';

/**
 * Whoever means to click does so within days; a month later the question is a new one, and a daily run
 * asks nobody twice in between.
 */
export const ASK_AGAIN_DAYS = 30;

const CLOCK = 'give a time of the day as 21:00';

/** `HH:MM` */
export const clockTime = z.string({ error: CLOCK }).regex(/^([01]\d|2[0-3]):[0-5]\d$/, CLOCK);

/** Such as Europe/Berlin. */
export const timeZone = text('give the name of a time zone, such as Europe/Berlin').refine(
  (zone) => IANAZone.isValidZone(zone),
  'give the name of a time zone, such as Europe/Berlin',
);

export const QUIET_HOURS = 'give from, to and time zone, such as 21:00, 08:00 and Europe/Berlin';

/** What Klaviyo is asked to do. */
export const consentSettings = {
  account: setting(optional(text('give the six-character id of a Klaviyo account')), {
    says: 'Klaviyo’s id of the account, if workers for several accounts use the same ledger',
    otherwise: 'the only one',
    flag: { spelling: '--account <id>', verbs: ['migrate', 'check'] },
  }),
  listId: setting(optional(text('give the id of a list')), {
    says: 'list to subscribe people to; without one the account’s opt-in process applies',
    flag: { spelling: '--list <id>', verbs: ['migrate', 'check'] },
  }),
  optIn: setting(optional(choice(['single', 'double'])), {
    says: 'expected opt-in process; needed for double opt-in, and without a list',
    flag: { spelling: '--opt-in <process>', verbs: ['migrate', 'check'] },
  }),
  askAgainDays: setting(whole(0, 365).default(ASK_AGAIN_DAYS), {
    says: 'days before somebody who has not clicked is asked again, by whichever run; 0: by each run',
    flag: { spelling: '--ask-again-days <days>' },
  }),
  historical: setting(yesOrNo(), {
    says: 'import consent given in the past: send its dates; Klaviyo mails nobody',
    flag: { spelling: '--historical', verbs: ['migrate', 'check'] },
  }),
  implicit: setting(yesOrNo(), {
    says: 'add everybody to the list without consent; subscribe nobody',
    flag: { spelling: '--implicit' },
  }),
  operation: setting(optional(choice([...SAME_FOR_ALL, 'add_to_list'])), {
    says: 'what is done for every person of the source, whatever its columns say',
    otherwise: 'what the columns of each row say',
    flag: { spelling: '--operation <name>' },
  }),
  moveFrom: setting(optional(text('give the id of a list')), {
    says: 'move everybody from this list to the list of the run; consent stays as it is',
    flag: { spelling: '--move-from <id>' },
  }),
  unsubscribeFrom: setting(choice(['everything', 'list']).default('everything'), {
    says: 'what an unsubscribe ends: all marketing of the channel, or that of the list alone',
    flag: { spelling: '--from <what>' },
  }),
  floor: setting(optional(choice(['unsubscribe'])), {
    says: 'unsubscribe whoever is suppressed, too: that counts at once, a suppression after hours',
    otherwise: 'suppressed only',
    flag: { spelling: '--floor <operation>' },
  }),
  smsCountries: setting(
    optional(
      z
        .array(country, { error: 'give country codes of ISO 3166-1, such as US and CA' })
        .min(1, 'give country codes of ISO 3166-1, such as US and CA'),
    ),
    {
      says: 'countries with a sender, if the key may not read senders: US,CA',
      flag: { spelling: '--sms-countries <codes>', verbs: ['migrate', 'check', 'retry-failed'] },
    },
  ),
  smsWithoutSender: setting(choice(['stop', 'reject']).default('stop'), {
    says: 'SMS rows of countries without a sender: stop the run, or reject them',
    flag: { spelling: '--sms-without-sender <what>' },
  }),
  quietHours: setting(
    optional(
      z
        .strictObject(
          {
            from: setting(clockTime, {
              says: 'no double opt-in text is asked for from this time on, such as 21:00',
              flag: { spelling: '--quiet-from <time>' },
            }),
            to: setting(clockTime, {
              says: 'until this time of the same or the next day, such as 08:00',
              flag: { spelling: '--quiet-to <time>' },
            }),
            timeZone: setting(timeZone, {
              says: 'time zone of these times, such as Europe/Berlin',
              flag: { spelling: '--quiet-time-zone <name>' },
            }),
          },
          { error: QUIET_HOURS },
        )
        .refine(({ from, to }) => from !== to, 'give two different times'),
    ),
    {
      says: 'times of the day at which no text asks for a click: what would send one waits',
      otherwise: 'none',
    },
  ),
  customSource: setting(optional(text('give the text that Klaviyo stores')), {
    says: 'what Klaviyo stores as the source of the consent',
    otherwise: 'the preset and the id of the migration',
    flag: { spelling: '--custom-source <text>' },
  }),
};
