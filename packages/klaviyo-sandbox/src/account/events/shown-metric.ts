import { chance } from '../../chance/chance.js';
import type { Core } from '../core.js';

/** For a switch at `..._at_times`: every fifth. */
const SHARE = 0.2;

/**
 * How answers show the metric of an event, as set by the switch: an event is always shown the same
 * way.
 */
export function shownMetric(
  { settings: { seed, switches } }: Pick<Core, 'settings'>,
  event: number,
): 'named' | 'missing' | 'unknown' {
  const { eventMetric } = switches;
  if (eventMetric !== 'missing_at_times') return eventMetric;
  return chance(seed, 'eventMetric', String(event)) < SHARE ? 'missing' : 'named';
}
