import { delayWithin } from '../delays.js';
import type { ProfileDetails } from '../store/profiles.js';
import { shortId } from '../chance.js';
import type { Core } from './core.js';
import type { Identifiers } from './identity.js';

export interface ImportRow {
  identifiers: Identifiers;
  details: ProfileDetails;
}

/** A bulk import as the job resource shows it. Dates in epoch ms. */
export interface ImportJob {
  readonly id: string;
  readonly listIds: readonly string[];
  readonly total: number;
  readonly createdAt: number;
  startedAt: number | null;
  completedAt: number | null;
  completed: number;
}

/** Bulk imports: profiles and memberships without consent, some time later. */
export class Importing {
  readonly #jobs = new Map<string, ImportJob>();

  constructor(private readonly core: Core) {}

  job(id: string): ImportJob | undefined {
    return this.#jobs.get(id);
  }

  accept(rows: readonly ImportRow[], listIds: readonly string[]): ImportJob {
    const { seed, delays } = this.core.settings;
    const job: ImportJob = {
      id: `${this.core.settings.account.id}-import-${shortId(seed, 'import', String(this.#jobs.size))}`,
      listIds,
      total: rows.length,
      createdAt: this.core.clock.wall(),
      startedAt: null,
      completedAt: null,
      completed: 0,
    };
    this.#jobs.set(job.id, job);
    const dues = Float64Array.from(rows, ({ identifiers }) => {
      const isNew = this.core.identities.find(identifiers) === undefined;
      const kind = isNew ? 'importNew' : 'importExisting';
      const word = identifiers.email ?? identifiers.phone ?? '';
      return this.core.clock.in(delayWithin(delays[kind], seed, kind, word));
    });
    this.core.scheduler.each(dues, (i) => this.#apply(rows[i]!, job));
    return job;
  }

  #apply({ identifiers, details }: ImportRow, job: ImportJob): void {
    const now = this.core.clock.wall();
    job.startedAt ??= now;
    const index = this.core.identities.resolve(identifiers, now);
    if (Object.keys(details).length > 0) {
      this.core.profiles.details.set(index, {
        ...this.core.profiles.details.get(index),
        ...details,
      });
      this.core.profiles.touch(index, now);
    }
    for (const id of job.listIds) this.core.lists.get(id)?.join(index, now);
    job.completed += 1;
    if (job.completed === job.total) job.completedAt = now;
  }
}
