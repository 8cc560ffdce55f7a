import { z } from 'zod';
import { LEAVE_DOES } from '../../../contracts/segments.js';
import { choice, setting, text, whole, yesOrNo } from '../../migrations/request/setting.js';
import { eitherOf } from './keys.js';
import { timeZone } from '../../migrations/request/consent-settings.js';
import { CRON_SAYS, cronFields, interval, notify, ZONE_SAYS } from './sync-schema.js';
import { readDuration } from '../../migrations/request/spelling.js';

const AFTER = 'give a number of runs or a time, such as "2 runs" or 36h';

/** `2 runs`, or a length of time as flags take it. */
const grace = z
  .string({ error: AFTER })
  .refine((value) => readGrace(value) !== null, AFTER)
  .transform((value) => readGrace(value) ?? { runs: 1 })
  .meta({ type: 'string' });

function readGrace(value: string): { readonly runs: number } | { readonly ms: number } | null {
  const [, runs] = /^([1-9]\d{0,3}) runs?$/.exec(value.trim()) ?? [];
  if (runs !== undefined) return { runs: Number(runs) };
  const ms = readDuration(value.trim());
  return ms === null || ms === 0 ? null : { ms };
}

export const enterSchema = z.strictObject(
  {
    existing_profiles_only: setting(yesOrNo().unwrap().optional(), {
      says: 'asks only people who have a profile, by their address or number; the others are looked at again a day later',
      otherwise: 'true',
    }),
    consent_history: setting(text('give the name of a column').optional(), {
      says: 'column with the dates of consent: they are sent, and Klaviyo mails nobody; as `historical`',
      otherwise: 'no dates are sent',
    }),
  },
  { error: 'give { existing_profiles_only: true }, or what else entering means' },
);

export const leaveSchema = z.strictObject(
  {
    do: setting(choice(LEAVE_DOES).optional(), {
      says: 'what becomes of whoever leaves: nothing; they leave the list; also the consent that the program gave ends; or their address is suppressed if the program gave its consent',
      otherwise: 'remove_from_list',
    }),
    all: setting(yesOrNo().unwrap().optional(), {
      says: 'unsubscribes or suppresses everybody who leaves, whoever gave their consent',
      otherwise: 'false: only of consent that is certainly from this program alone',
    }),
    after: setting(grace.optional(), {
      says: 'how long somebody has to be missing before they leave: runs, or a time',
      otherwise: '2 runs',
    }),
  },
  { error: 'give { do: remove_from_list, after: 2 runs }' },
);

const SHARE = 'give a share from 0 to 1, such as 0.2';

const brake = (people: number, share: number) =>
  z.strictObject(
    {
      share: setting(z.number({ error: SHARE }).min(0, SHARE).max(1, SHARE).optional(), {
        says: 'largest part of the people who were in the segment before',
        otherwise: String(share),
      }),
      people: setting(whole(0).optional(), { says: 'most people', otherwise: String(people) }),
    },
    { error: `give { share: ${share}, people: ${people} }` },
  );

export const BRAKES = {
  enter: { share: 0.5, people: 20_000 },
  leave: { share: 0.2, people: 5_000 },
} as const;

export const brakesSchema = z.strictObject(
  {
    enter: setting(brake(BRAKES.enter.people, BRAKES.enter.share).optional(), {
      says: 'a run in which more people enter stops before anything is sent',
    }),
    leave: setting(brake(BRAKES.leave.people, BRAKES.leave.share).optional(), {
      says: 'a run in which more people leave stops before anything is sent',
    }),
  },
  { error: 'give { leave: { share: 0.2, people: 5000 } }' },
);

const SCHEDULE = 'give { every: 1h }, or { cron: "0 3 * * *", time_zone: Europe/Berlin }';

export const scheduleSchema = z
  .strictObject(
    {
      every: setting(interval.optional(), { says: 'time between two runs, such as 1h' }),
      cron: setting(cronFields.optional(), { says: CRON_SAYS }),
      time_zone: setting(timeZone.optional(), { says: ZONE_SAYS }),
    },
    { error: SCHEDULE },
  )
  .superRefine(eitherOf('every', 'cron', SCHEDULE))
  .superRefine(({ cron, time_zone: zone }, context) => {
    if ((cron === undefined) === (zone === undefined)) return;
    const path = [cron === undefined ? 'time_zone' : 'cron'];
    const message = 'give cron and time_zone together';
    context.addIssue({ code: 'custom', path, message });
  });

/** What a program with a `key` can have of its own or from the defaults of its account. */
export const segmentKeys = {
  enter: setting(enterSchema.optional(), {
    says: 'who is asked that enters the segment; needs a `key`',
  }),
  leave: setting(leaveSchema.optional(), {
    says: 'what becomes of whoever leaves the segment; needs a `key`',
  }),
  brakes: setting(brakesSchema.optional(), {
    says: 'how many people may enter or leave in one run; needs a `key`',
  }),
  schedule: setting(scheduleSchema.optional(), {
    says: 'when a worker runs the segment by itself; needs a `key`',
    otherwise: 'only when `consentry program run` asks for it',
  }),
  notify: setting(notify.optional(), {
    says: 'who is told when a run of the segment waits for an answer, is late or failed, and when all is well again',
    otherwise: 'nobody',
  }),
};
