import type { Operation } from '../contracts/channels.js';
import type { MigrationSettings, MigrationTiming } from '../contracts/migration.js';
import { ALL_OPERATIONS } from './operations/index.js';
import type { LookUp } from './operations/operation.js';

/** What the reader of a migration reads besides events. */
export interface Sources {
  /** Members of the run's list by the time they joined, 100 per page. */
  readonly listMembers: boolean;
  /** When rows of each operation that are still open are looked up. */
  readonly lookUps: ReadonlyMap<Operation, LookUp>;
}

/**
 * The cheapest sources that can prove a run: events of consent that changes now (1,000 per page,
 * 3,500 calls per minute), members of the list (100 per page), and look-ups of the people that
 * neither showed. Events of historical consent carry its date, so the list shows it; memberships
 * without consent cause no event.
 *
 * @param fromEvents whether events can be read
 * @param fromList whether the list's members can be read by the time they joined
 */
export function sourcesOf(
  settings: Pick<MigrationSettings, 'listId' | 'historicalImport' | 'consent' | 'unsubscribeFrom'>,
  fromEvents: boolean,
  fromList: boolean,
): Sources {
  const { listId, historicalImport } = settings;
  const implicit = settings.consent === 'implicit';
  const byEvent = fromEvents && !historicalImport;
  const byList = fromList && listId !== null && (implicit || !byEvent);
  const { unsubscribeFrom } = settings;
  const feeds = { events: fromEvents, members: byList, historicalImport, unsubscribeFrom };
  const lookUps = new Map(ALL_OPERATIONS.map(({ name, lookUp }) => [name, lookUp(feeds)]));
  return { listMembers: byList, lookUps };
}

/** Multiple of `eventsSilentMs` after which a look is `patient`. */
const PATIENCE = 5;

/** From the acceptance of a job until its open rows are looked up first, in milliseconds. */
export function firstLookMs(
  when: LookUp,
  { readEveryMs, eventsSilentMs }: Pick<MigrationTiming, 'readEveryMs' | 'eventsSilentMs'>,
): number {
  if (when === 'soon') return readEveryMs;
  return when === 'late' ? eventsSilentMs : eventsSilentMs * PATIENCE;
}
