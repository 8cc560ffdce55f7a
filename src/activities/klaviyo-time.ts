import type { KlaviyoClient } from '../klaviyo/index.js';

/**
 * A time of our clock as Klaviyo's clock had it, or a little before: what Klaviyo dates later was after
 * it. Unchanged before Klaviyo's first answer.
 */
export function byKlaviyosClock(klaviyo: Pick<KlaviyoClient, 'now'>, ours: Date): Date {
  const now = klaviyo.now();
  if (now === null) return ours;
  return new Date(ours.getTime() + now.earliest.getTime() - Date.now());
}
