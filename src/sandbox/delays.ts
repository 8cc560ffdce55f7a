import { chance } from './chance.js';

/** Shortest and longest delay in ms, before division by the sandbox's speed. */
export type Range = readonly [number, number];

/** How long Klaviyo takes from accepting something to showing it. */
export interface DelaySettings {
  subscribeLive: Range;
  subscribeHistorical: Range;
  /** A profile that a bulk import creates. */
  importNew: Range;
  /** A profile that was there before the bulk import. */
  importExisting: Range;
  /** From an accepted subscribe to the double opt-in message. */
  confirmationMessage: Range;
  /** From the click to the consent. */
  confirmed: Range;
}
export type DelayKind = keyof DelaySettings;

const seconds = (from: number, to: number): Range => [from * 1_000, to * 1_000];

/** `klaviyo` as trials on real accounts saw it; `fast` for tests and demonstrations. */
export const DELAYS: Readonly<Record<'klaviyo' | 'fast', DelaySettings>> = {
  klaviyo: {
    subscribeLive: seconds(15, 180),
    subscribeHistorical: seconds(120, 1_200),
    importNew: seconds(30, 1_200),
    importExisting: seconds(5, 60),
    confirmationMessage: seconds(1, 30),
    confirmed: seconds(1, 30),
  },
  fast: {
    subscribeLive: [30, 150],
    subscribeHistorical: [80, 400],
    importNew: [80, 400],
    importExisting: [30, 150],
    confirmationMessage: [10, 40],
    confirmed: [10, 40],
  },
};

export function delayWithin([from, to]: Range, seed: number, ...words: readonly string[]): number {
  return from + (to - from) * chance(seed, ...words);
}
