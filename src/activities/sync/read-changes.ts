import { CALL_LIMITS } from '../../contracts/limits.js';
import { NO_COUNTS, sumOf, type SyncCounts, type SyncStep } from '../../contracts/sync.js';
import type { NoticedBy } from '../../destinations/destination.js';
import {
  KlaviyoScopeMissingError,
  type KlaviyoClient,
  type ProfilesQuery,
} from '../../klaviyo/index.js';
import { log } from '@temporalio/activity';
import type { SyncDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { METRICS_LATE_MS, type Metrics } from '../temporal/metrics.js';
import { Persistence } from '../temporal/persistence.js';
import { feedWasReadElsewhere, noteWarning, PROFILES_FEED } from '../../ledger/index.js';
import { CHANGES_LATE_MS } from '../mirror/profile-changes.js';
import { eachPage } from './each-page.js';
import { SyncDiffersError } from './errors.js';
import { profilesOf, readProfile, type ReadPage } from './profiles-of.js';
import { GoneProfiles } from './gone-profiles.js';
import { ChangedLists, type Leaver } from './lists/changed-lists.js';
import { withSession, type SyncSession } from './session.js';
import { Sinks } from './sinks.js';
import { keepsLists, listsInOf, withoutLists } from './state.js';
import { stopwatch } from '../stopwatch.js';

const LEFT_LIST = 'Unsubscribed from List';

/** Events of changed consent, by their names in newer and older accounts. */
const EVENTS: readonly (readonly string[])[] = [
  ['Unsubscribed from Email Marketing'],
  ['Marked Email as Spam'],
  ['Unsubscribed from SMS Marketing', 'Unsubscribed from SMS'],
  [LEFT_LIST],
  ['Subscribed to Email Marketing'],
  ['Subscribed to SMS Marketing', 'Consented to Receive SMS'],
  ['Subscribed to List'],
];

/** For people. */
const NO_EVENTS =
  'The key may not read events (events:read, metrics:read): opt-outs that only they show, such as those from ' +
  'texts, are found by sweeps alone.';

/** Suppressions that somebody requested show up to so late, with the date of the request. */
const BY_HAND_LATE_MS = 6 * 3_600_000;

export function createReadChanges(deps: SyncDependencies, metrics: Metrics) {
  return {
    /**
     * Reads what changed since the last time from all sources that show it, and writes it. What was
     * read before is read again if the step is repeated.
     */
    async readChanges(step: SyncStep): Promise<SyncCounts> {
      return whileHeartbeating((signal) =>
        withSession(deps, step, (session) =>
          new Changes(deps, metrics, session, step, signal).read(),
        ),
      );
    },
  };
}

type EventsPage = Awaited<ReturnType<KlaviyoClient['listEvents']>>;

class Changes {
  readonly #sinks: Sinks;
  readonly #persistence: Persistence;
  /** Profiles that were read since the events were. */
  readonly #read = new Set<string>();
  /** Who left a list. */
  readonly #leavers: Leaver[] = [];
  #counts: SyncCounts = NO_COUNTS;

  constructor(
    private readonly deps: SyncDependencies,
    private readonly metrics: Metrics,
    private readonly session: SyncSession,
    private readonly step: SyncStep,
    private readonly signal: AbortSignal,
  ) {
    this.#sinks = new Sinks(deps, session, step.runId, signal);
    this.#persistence = new Persistence(signal);
  }

  async read(): Promise<SyncCounts> {
    const { state, sync } = this.session;
    if (state.changesUntil === null) {
      throw new SyncDiffersError(
        `${this.session.destination.shown} was not read into yet, although this run has begun. Start the sync again.`,
      );
    }
    const until = Date.parse(state.changesUntil);
    const since = new Date(until - sync.settings.overlapMs).toISOString();
    const tookMs = stopwatch();
    const now = await klaviyosTime(this.deps, this.signal);
    // First: whoever is read after this is read as of all these events.
    const named = await this.#named(new Date(Date.parse(since) - METRICS_LATE_MS).toISOString());
    await this.#readAll({ by: 'suppressed', since, reason: null }, 'suppressions');
    const byHand = new Date(
      until - Math.max(BY_HAND_LATE_MS, sync.settings.overlapMs),
    ).toISOString();
    await this.#readAll(
      { by: 'suppressed', since: byHand, reason: 'USER_SUPPRESSED' },
      'suppressions',
    );
    await this.#readAll({ by: 'updated', since }, 'updated');
    await this.#lookUp([...named].filter((id) => !this.#read.has(id)));
    // All that changed is in the mirror: a migration does not have to read it again.
    await feedWasReadElsewhere(this.deps.ledger.db, sync.accountId, PROFILES_FEED, {
      from: new Date(since),
      until: new Date(now),
      lateMs: CHANGES_LATE_MS,
      tookMs: tookMs(),
    });
    await this.#readLists(since);
    const { state: after } = this.session;
    // A table of lists that was not kept up to now has to be filled again.
    const kept = keepsLists(after, this.#listsIn) ? after : withoutLists(after);
    await this.session.move({ ...kept, changesUntil: now });
    return this.#counts;
  }

  /** What the sync writes memberships of lists into; null if it writes none. */
  get #listsIn(): string | null {
    return listsInOf(this.session.sync.settings);
  }

  /** Who joined lists, and who left them. Before they were read as a whole, nothing would be missing. */
  async #readLists(since: string): Promise<void> {
    if (!keepsLists(this.session.state, this.#listsIn)) return;
    const lists = new ChangedLists(this.deps, this.session, this.step, this.signal);
    this.#counts = sumOf(this.#counts, await lists.read(since, this.#leavers));
  }

  /** Whom the events since then are about. */
  async #named(since: string): Promise<Set<string>> {
    const named = new Set<string>();
    // All at once: the events of one metric say nothing about those of another.
    const read = await Promise.allSettled(
      EVENTS.map((names) => this.#namedBy(names, since, named)),
    );
    const failures = read.flatMap((each): unknown[] =>
      each.status === 'rejected' ? [each.reason] : [],
    );
    const isScope = (error: unknown): error is KlaviyoScopeMissingError =>
      error instanceof KlaviyoScopeMissingError;
    for (const error of failures) if (!isScope(error)) throw error;
    const missing = failures.find(isScope);
    if (missing !== undefined) {
      await noteWarning(this.deps.ledger.db, this.step.runId, NO_EVENTS);
      log.warn(NO_EVENTS, { failure: missing.failure });
    }
    return named;
  }

  async #namedBy(names: readonly string[], since: string, named: Set<string>): Promise<void> {
    const areLeavers = names.includes(LEFT_LIST) && keepsLists(this.session.state, this.#listsIn);
    for (const metricId of await this.metrics.idsOf(names, this.signal)) {
      await eachPage(
        (cursor) => this.#events({ metricId, since, cursor }),
        ({ events }) => {
          if (areLeavers) this.#leavers.push(...events);
          for (const { profileId } of events) if (profileId !== null) named.add(profileId);
        },
      );
    }
  }

  #events(query: Parameters<KlaviyoClient['listEvents']>[0]): Promise<EventsPage> {
    return this.#persistence.whileShort(() =>
      this.deps.klaviyo.listEvents(query, { signal: this.signal }),
    );
  }

  async #readAll(query: Extract<ProfilesQuery, { since: string }>, by: NoticedBy): Promise<void> {
    await eachPage(
      (cursor) => this.#page({ ...query, cursor }),
      ({ profiles, beganMs }) => this.#write(profiles, beganMs, by),
    );
  }

  async #lookUp(ids: readonly string[]): Promise<void> {
    const missing: string[] = [];
    for (let at = 0; at < ids.length; at += CALL_LIMITS.lookUp) {
      const asked = ids.slice(at, at + CALL_LIMITS.lookUp);
      const { profiles, beganMs } = await profilesOf(this.deps, asked, this.signal);
      await this.#write(profiles, beganMs, 'events');
      const found = new Set(profiles.map(({ record }) => record.profileId));
      missing.push(...asked.filter((id) => !found.has(id)));
    }
    const gone = new GoneProfiles(this.deps, this.session, this.step, this.signal);
    this.#counts = sumOf(this.#counts, await gone.note(missing, this.session.state));
  }

  async #page(query: ProfilesQuery) {
    let beganMs = 0;
    const page = await this.#persistence.whileShort(() => {
      beganMs = performance.now();
      return this.deps.klaviyo.readProfiles(query, { signal: this.signal });
    });
    return { profiles: page.profiles.map(readProfile), next: page.next, beganMs };
  }

  async #write(profiles: ReadPage['profiles'], beganMs: number, by: NoticedBy): Promise<void> {
    for (const { record } of profiles) this.#read.add(record.profileId);
    if (profiles.length === 0) return;
    const written = await this.#sinks.write([{ profiles, beganMs }], by, this.session.state);
    this.#counts = sumOf(this.#counts, written);
  }
}

/** The time of Klaviyo's clock; asks for something if Klaviyo has not answered yet. */
export async function klaviyosTime(
  { klaviyo }: Pick<SyncDependencies, 'klaviyo'>,
  signal: AbortSignal,
): Promise<string> {
  if (klaviyo.now() === null) await klaviyo.listMetrics({ signal });
  const now = klaviyo.now();
  if (now === null) throw new Error('Klaviyo answers without a Date header.');
  return now.earliest.toISOString();
}
