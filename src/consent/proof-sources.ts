import type { Operation } from '../contracts/channels.js';
import type { MigrationSettings } from '../contracts/migration.js';
import { ALL_OPERATIONS } from './operations/index.js';
import type { LookUp } from './operations/operation.js';

/** What the reader of a migration reads, besides the events. */
export interface Sources {
  /** Members of the run's list by the time of joining, 100 a page. */
  readonly listMembers: boolean;
  /** Look-ups of rows that are still open, by when they begin. */
  readonly lookUps: {
    /** Nothing else proves them: from the first read on. */
    readonly soon: readonly Operation[];
    /** A feed should have shown them by now. */
    readonly late: readonly Operation[];
    /** Klaviyo takes 2 to 20 minutes, and nothing else proves them. */
    readonly patient: readonly Operation[];
  };
}

/**
 * Which sources prove a run, the cheapest that can: events of consent that changes now (1,000 a
 * page, 3,500 calls a minute), members of the list (100 a page), and look-ups of the people that
 * neither showed. Events of historical consent carry its date, so the list shows it; memberships
 * without consent are no event at all.
 *
 * @param fromEvents whether events can be read
 * @param fromList whether the list's members can be read by the time of joining
 */
export function sourcesOf(
  settings: Pick<MigrationSettings, 'listId' | 'historicalImport' | 'consent'>,
  fromEvents: boolean,
  fromList: boolean,
): Sources {
  const { listId, historicalImport } = settings;
  const implicit = settings.consent === 'implicit';
  const byEvent = fromEvents && !historicalImport;
  const byList = fromList && listId !== null && (implicit || !byEvent);
  const feeds = { events: fromEvents, members: byList, historicalImport };
  const at = (when: LookUp): Operation[] =>
    ALL_OPERATIONS.filter(({ lookUp }) => lookUp(feeds) === when).map(({ name }) => name);
  const lookUps = { soon: at('soon'), late: at('late'), patient: at('patient') };
  return { listMembers: byList, lookUps };
}
