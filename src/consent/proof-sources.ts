import type { Operation } from '../contracts/channels.js';
import type { MigrationSettings } from '../contracts/migration.js';
import { ALL_OPERATIONS } from './operations/index.js';
import type { LookUp } from './operations/operation.js';

/** What the reader of a migration reads besides events. */
export interface Sources {
  /** Members of the run's list by the time they joined, 100 per page. */
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
 * The cheapest sources that can prove a run: events of consent that changes now (1,000 per page,
 * 3,500 calls per minute), members of the list (100 per page), and look-ups of the people that
 * neither showed. Events of historical consent carry its date, so the list shows it; memberships
 * without consent cause no event.
 *
 * @param fromEvents whether events can be read
 * @param fromList whether the list's members can be read by the time they joined
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
