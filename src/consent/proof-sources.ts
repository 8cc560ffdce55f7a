import type { Operation } from '../contracts/channels.js';
import type { MigrationSettings } from '../contracts/migration.js';

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
  const soon: Operation[] = ['suppress'];
  const late: Operation[] = [];
  (fromEvents ? late : soon).push('unsubscribe');
  (byList ? late : soon).push('add_to_list');
  // What a back-dated import leaves open at its deadline is looked up then.
  if (!historicalImport) (byEvent || byList ? late : soon).push('subscribe');
  const patient: Operation[] = historicalImport && !byList ? ['subscribe'] : [];
  return { listMembers: byList, lookUps: { soon, late, patient } };
}
