import { chance } from '../chance/chance.js';

/** Shortest and longest delay in ms, before division by the sandbox's speed. */
export type Range = readonly [number, number];

/** How long Klaviyo takes from accepting something to showing it. */
export interface DelaySettings {
  subscribeLive: Range;
  subscribeHistorical: Range;
  /** A profile that a bulk import creates. */
  importNew: Range;
  /** A profile that existed before the bulk import. */
  importExisting: Range;
  /** From an accepted subscribe to the double opt-in message. */
  confirmationMessage: Range;
  /** From the click to the consent. */
  confirmed: Range;
  /** From an accepted (un)suppress job to the suppression of an existing profile. */
  suppression: Range;
  /** The same if the job has to create the profile first. */
  suppressionNew: Range;
  /** Subscription events, if the switch `events` is `late`. */
  event: Range;
  /** From a merge or a deletion request to its effect. */
  merge: Range;
  deletion: Range;
  /** From a segment's creation to its first members. */
  segment: Range;
  /** Joining or leaving a segment after what it depends on has changed. */
  segmentMember: Range;
  export: Range;
  /** From the creation of a toll-free sender to the carrier's approval. */
  senderReview: Range;
  /** From an event to the webhook's delivery. */
  webhook: Range;
  /** From a change of consent or suppressions to answers that show it in `subscriptions`. */
  readLag: Range;
}
export type DelayKind = keyof DelaySettings;

const seconds = (from: number, to: number): Range => [from * 1_000, to * 1_000];

/** `klaviyo` as seen in trials on real accounts; `fast` for tests and demonstrations. */
export const DELAYS: Readonly<Record<'klaviyo' | 'fast', DelaySettings>> = {
  klaviyo: {
    subscribeLive: seconds(15, 180),
    subscribeHistorical: seconds(120, 1_200),
    importNew: seconds(30, 1_200),
    importExisting: seconds(5, 60),
    confirmationMessage: seconds(1, 30),
    confirmed: seconds(1, 30),
    suppression: seconds(180, 14_400),
    suppressionNew: seconds(1_200, 15_600),
    event: seconds(30, 600),
    merge: seconds(1, 60),
    deletion: seconds(60, 3_600),
    segment: seconds(480, 600),
    segmentMember: seconds(30, 300),
    export: seconds(30, 600),
    senderReview: seconds(86_400, 432_000),
    webhook: seconds(60, 180),
    readLag: [0, 0],
  },
  fast: {
    subscribeLive: [30, 150],
    subscribeHistorical: [80, 400],
    importNew: [80, 400],
    importExisting: [30, 150],
    confirmationMessage: [10, 40],
    confirmed: [10, 40],
    suppression: [80, 400],
    suppressionNew: [120, 500],
    event: [30, 150],
    merge: [10, 40],
    deletion: [30, 150],
    segment: [80, 400],
    segmentMember: [10, 100],
    export: [80, 400],
    senderReview: [80, 400],
    webhook: [20, 80],
    readLag: [0, 0],
  },
};

/** Some delays, as in a setting. @throws RangeError naming an unknown kind or a bad range */
export function checkDelays(given: object): Partial<DelaySettings> {
  for (const [kind, range] of Object.entries(given) as [string, unknown][]) {
    if (!Object.hasOwn(DELAYS.klaviyo, kind)) {
      const known = Object.keys(DELAYS.klaviyo).join(', ');
      throw new RangeError(`there is no delay "${kind}"; known are ${known}`);
    }
    const [from, to] = Array.isArray(range) ? (range as unknown[]) : [];
    if (!(typeof from === 'number' && typeof to === 'number' && from >= 0 && to >= from)) {
      throw new RangeError(
        `delays.${kind} must be [shortest, longest] in ms; got ${JSON.stringify(range)}`,
      );
    }
  }
  return given;
}

export function delayWithin([from, to]: Range, seed: number, ...words: readonly string[]): number {
  return from + (to - from) * chance(seed, ...words);
}
