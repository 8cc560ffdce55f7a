import { z } from 'zod';
import type { MigrationTiming } from '../../../contracts/migration.js';
import { milliseconds, optional, setting, type Flag } from './setting.js';
import { durationText } from './spelling.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** How long Klaviyo may take to show what it accepted. */
const SHOWN = {
  /** A live subscribe shows after up to 3 minutes. */
  liveMs: 15 * MINUTE,
  /** A back-dated subscribe shows after up to 20 minutes. */
  historicalMs: 45 * MINUTE,
  /** Klaviyo creates the new profiles of an import within about 20 minutes. */
  membershipMs: 30 * MINUTE,
} as const;

const SHOWN_WORDS = `${durationText(SHOWN.liveMs)}; ${durationText(SHOWN.historicalMs)} for a historical run`;

const wait = (says: string, ms: number, flag?: Flag) =>
  setting(milliseconds().default(ms), about(says, flag));

/** A pause of something that goes round and round. Node's timers take no more than 24 days. */
const pause = (says: string, ms: number) =>
  setting(milliseconds(100, 24 * DAY).default(ms), about(says));

/** An age at which something is read again. The guard rests on it, so it is not long. */
const age = (says: string, ms: number) =>
  setting(milliseconds(0, 60 * MINUTE).default(ms), about(says));

/** A wait that follows from other settings if it is not given. */
const derived = (says: string, otherwise: string, flag?: Flag) =>
  setting(optional(milliseconds()), { ...about(says, flag), otherwise });

const about = (says: string, flag?: Flag) => ({
  says,
  unit: 'milliseconds' as const,
  ...(flag === undefined ? {} : { flag }),
});

/** Waits and deadlines. `MigrationTiming` says what each means to the workflows. */
export const timing = z.strictObject(
  {
    confirmWithinMs: derived('deadline of the read-back', SHOWN_WORDS, {
      spelling: '--confirm-within <time>',
      verbs: ['migrate', 'program run'],
    }),
    membershipWithinMs: derived(
      'deadline of the read-back of list memberships',
      `confirmWithinMs, or ${durationText(SHOWN.membershipMs)}`,
    ),
    appliedWithinMs: derived(
      'how long after a subscribe Klaviyo may still apply it; opt-outs are watched for that long',
      SHOWN_WORDS,
    ),
    lostAnswerWaitMs: wait('wait before reading back a call whose answer was lost', 3 * MINUTE, {
      spelling: '--lost-answer-wait <time>',
      verbs: ['migrate', 'program run'],
    }),
    readEveryMs: pause('pause between two reads of Klaviyo’s feeds', 5 * SECOND),
    readTurnMs: pause('longest turn of reading', MINUTE),
    consentMaxAgeMs: age('age at which consent is read again', 10 * MINUTE),
    textConsentMaxAgeMs: age('the same for consent to texts, WhatsApp and push', 2 * MINUTE),
    optOutsMaxAgeMs: age('age at which opt-outs are read again', 5 * SECOND),
    optOutsLateMs: wait('how late Klaviyo may show an opt-out', 10 * MINUTE),
    suppressionWithinMs: wait('deadline of the read-back of suppressions', 270 * MINUTE),
    // Klaviyo takes up to 3 minutes to show a live subscribe: look-ups before that would be in vain.
    eventsSilentMs: wait('longest wait for a silent feed of events', 4 * MINUTE),
    watchForMs: derived('how long people who have not clicked are followed', 'watchDays'),
    watchFirstMs: pause(
      'first pause between two polls of people who have not clicked; it doubles',
      15 * MINUTE,
    ),
    watchLongestMs: pause(
      'longest pause between two polls of people who have not clicked',
      360 * MINUTE,
    ),
  } satisfies Record<keyof MigrationTiming, z.ZodType>,
  { error: 'give its waits, such as { readEveryMs: 1000 }' },
);

/** What the waits of a run depend on. */
export interface TimedRequest {
  readonly historical: boolean;
  readonly watchDays: number;
  readonly timing: z.output<typeof timing>;
}

/** The waits and deadlines of a run: those given, and for the rest Klaviyo's pace with a good margin. */
export function timingOf({ historical, watchDays, timing }: TimedRequest): MigrationTiming {
  const { confirmWithinMs } = timing;
  const shownWithinMs = historical ? SHOWN.historicalMs : SHOWN.liveMs;
  return {
    ...timing,
    confirmWithinMs: confirmWithinMs ?? shownWithinMs,
    membershipWithinMs: timing.membershipWithinMs ?? confirmWithinMs ?? SHOWN.membershipMs,
    // A shorter deadline does not make Klaviyo faster.
    appliedWithinMs: timing.appliedWithinMs ?? Math.max(shownWithinMs, confirmWithinMs ?? 0),
    watchForMs: timing.watchForMs ?? watchDays * DAY,
  };
}
