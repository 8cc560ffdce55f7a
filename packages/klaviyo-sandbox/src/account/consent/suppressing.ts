import { delayWithin } from '../../settings/delays.js';
import { ulid } from '../../chance/ulid.js';
import type { Core } from '../core.js';
import type { Identifiers } from '../profiles/identity.js';

export type SuppressionChange = 'suppress' | 'unsuppress';

/**
 * The people of a job: addresses as they were written, or the members of a list or segment at the
 * time when the job is carried out.
 */
export type SuppressionTarget =
  { emails: readonly string[] } | { group: 'list' | 'segment'; id: string };

/** The true state of a bulk suppression, whatever its resource reports. Dates in epoch ms. */
export interface SuppressionJob {
  readonly id: string;
  readonly change: SuppressionChange;
  readonly target: SuppressionTarget;
  readonly createdAt: number;
  /** Number of profiles in the job; 0 for a list or segment until its members are known. */
  total: number;
  /** Done or skipped; the job is complete when all are. */
  completed: number;
  /** Those among the completed whose suppression did not have to change. */
  skipped: number;
  /** Null while in progress. */
  completedAt: number | null;
  /** The list or segment was gone when its members were looked up. */
  cancelled: boolean;
}

/**
 * Manual suppressions and their removal: accepted at once, applied minutes to hours later. From
 * live trials: a suppression that appears that late has the date of its request.
 */
export class Suppressing {
  readonly #jobs = new Map<string, SuppressionJob>();

  constructor(private readonly core: Core) {}

  jobs(change: SuppressionChange): SuppressionJob[] {
    return [...this.#jobs.values()].filter((job) => job.change === change);
  }

  job(change: SuppressionChange, id: string): SuppressionJob | undefined {
    const job = this.#jobs.get(id);
    return job?.change === change ? job : undefined;
  }

  accept(change: SuppressionChange, target: SuppressionTarget): SuppressionJob {
    const createdAt = this.core.clock.wall();
    const job: SuppressionJob = {
      id: ulid(createdAt, this.core.settings.seed, 'suppression', String(this.#jobs.size)),
      change,
      target,
      createdAt,
      total: 'emails' in target ? target.emails.length : 0,
      completed: 0,
      skipped: 0,
      completedAt: null,
      cancelled: false,
    };
    this.#jobs.set(job.id, job);
    if ('emails' in target) this.#afterEach(job, target.emails);
    else this.#afterAll(job, target);
    return job;
  }

  #afterEach(job: SuppressionJob, emails: readonly string[]): void {
    const { clock, scheduler, settings, profiles, identities } = this.core;
    const { delays, seed } = settings;
    const people = emails.map((written) => ({
      email: written.toLowerCase(),
      written,
      phone: null,
    }));
    const isNew = ({ email }: { email: string }) =>
      job.change === 'suppress' && profiles.withEmail(email) === undefined;
    const unknown = people.filter(isNew);
    if (unknown.length > 0) {
      // A stranger's profile shows some time before its suppression does.
      scheduler.at(clock.in(delays.suppressionNew[0]), () => {
        for (const who of unknown) identities.resolve(who, clock.wall());
      });
    }
    const dues = Float64Array.from(people, (who) => {
      const kind = isNew(who) ? 'suppressionNew' : 'suppression';
      return clock.in(delayWithin(delays[kind], seed, kind, who.email));
    });
    scheduler.each(dues, (i) => this.#applyTo(people[i]!, job));
  }

  #afterAll(job: SuppressionJob, { group, id }: { group: 'list' | 'segment'; id: string }): void {
    const { clock, scheduler, settings } = this.core;
    const wait = delayWithin(settings.delays.suppression, settings.seed, 'suppression', id);
    scheduler.at(clock.in(wait), () => {
      const members = this.#membersOf(group, id);
      job.cancelled = members === undefined;
      job.total = members?.length ?? 0;
      if (job.total === 0) job.completedAt = clock.wall();
      for (const index of members ?? []) this.#settle(job, this.#change(job, index));
    });
  }

  /** Undefined if the list or segment no longer exists. */
  #membersOf(group: 'list' | 'segment', id: string): number[] | undefined {
    const { lists, segments } = this.core;
    const found = group === 'list' ? lists.get(id) : segments.get(id);
    return found && [...found.members()];
  }

  /** Suppressing an address that nobody has creates a profile; removing a suppression does not. */
  #applyTo(who: Identifiers, job: SuppressionJob): void {
    const { identities, clock } = this.core;
    const index =
      job.change === 'suppress' ? identities.resolve(who, clock.wall()) : identities.find(who);
    if (index === undefined) return this.#settle(job, false);
    const twins = identities.twins(index, who).map((twin) => twin.index);
    const changed = [index, ...twins].map((one) => this.#change(job, one));
    this.#settle(job, changed.includes(true));
  }

  /** Whether anything changed; only addresses can be suppressed. */
  #change({ change, createdAt }: SuppressionJob, index: number): boolean {
    const { profiles, clock, settings } = this.core;
    if (profiles.email(index) === null) return false;
    const changed =
      change === 'suppress'
        ? profiles.addSuppression(index, { reason: 'USER_SUPPRESSED', timestamp: createdAt })
        : profiles.liftSuppressions(index, MANUAL);
    if (changed && settings.switches.suppressionMovesUpdated) profiles.touch(index, clock.wall());
    return changed;
  }

  #settle(job: SuppressionJob, changed: boolean): void {
    job.completed += 1;
    if (!changed) job.skipped += 1;
    if (job.completed === job.total) job.completedAt = this.core.clock.wall();
  }
}

const MANUAL = new Set(['USER_SUPPRESSED'] as const);
