import { shortId } from '../../chance/chance.js';
import { delayWithin } from '../../settings/delays.js';
import { uuid } from '../../chance/uuid.js';
import type { Core } from '../core.js';

/** Why a row was not carried out. */
export interface RowFailure {
  code: string;
  title: string;
  detail: string;
  source: { pointer?: string };
}

/** One row of an accepted bulk import. */
export interface ImportRow {
  /** Position in the request. */
  readonly row: number;
  /** Seeds the row's random draws: the identifiers. */
  readonly word: string;
  /** Nobody has the identifiers yet. */
  readonly isNew: boolean;
  /** The attributes as they were sent. */
  readonly original: object;
  /**
   * Creates or updates the profile; returns its number, and the numbers of others that the row
   * changed.
   */
  readonly carryOut: () => readonly number[] | RowFailure;
}

const KEPT_MS = 7 * 86_400_000;
/** Placeholder for a row whose profile does not exist (yet): no profile has this number. */
const NOBODY = 2 ** 32 - 1;

/** A row that was not carried out. */
export interface ImportError extends RowFailure {
  readonly id: string;
  readonly original: object;
}

/** A bulk import as the job resource shows it. Dates in epoch ms. */
export interface ImportJob {
  readonly id: string;
  readonly listIds: readonly string[];
  readonly total: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  startedAt: number | null;
  completedAt: number | null;
  /** Rows that were carried out. */
  completed: number;
  /** One for each row that was not carried out, in the order in which they failed. */
  readonly errors: readonly ImportError[];
}

export type ImportStatus = 'queued' | 'processing' | 'complete';

export function statusOf({ startedAt, completedAt }: ImportJob): ImportStatus {
  if (completedAt !== null) return 'complete';
  return startedAt === null ? 'queued' : 'processing';
}

interface KeptJob extends ImportJob {
  errors: ImportError[];
  /** On the clock's `now`. */
  readonly gone: number;
  /** Profile of each row, in the order of the request. */
  readonly profiles: Uint32Array;
  readonly seen: Set<number>;
}

/** Bulk imports: profiles and memberships without consent, after a delay. */
export class Importing {
  readonly #jobs = new Map<string, KeptJob>();
  #made = 0;

  constructor(private readonly core: Core) {}

  /** Undefined for an unknown id, and once the job has expired. */
  job(id: string): ImportJob | undefined {
    return this.#job(id);
  }

  jobs(): ImportJob[] {
    return [...this.#jobs.keys()].flatMap((id) => this.#job(id) ?? []);
  }

  /**
   * Created or updated profiles with their positions in the request, each once, from position
   * `first` on.
   */
  *profilesOf(id: string, first: number): Generator<{ row: number; index: number }> {
    const profiles = this.#job(id)?.profiles ?? new Uint32Array(0);
    for (let row = first; row < profiles.length; row++) {
      const index = profiles[row]!;
      if (this.core.profiles.isAlive(index)) yield { row, index };
    }
  }

  /** A lost row is neither completed nor failed: its job never ends. */
  accept(rows: readonly ImportRow[], listIds: readonly string[]): ImportJob {
    const { clock, losses, scheduler, settings } = this.core;
    const { seed, delays } = settings;
    const createdAt = clock.wall();
    const job: KeptJob = {
      id: this.#newId(createdAt),
      listIds,
      total: rows.length,
      createdAt,
      expiresAt: createdAt + KEPT_MS,
      gone: clock.in(KEPT_MS),
      startedAt: null,
      completedAt: null,
      completed: 0,
      errors: [],
      profiles: new Uint32Array(rows.length).fill(NOBODY),
      seen: new Set(),
    };
    this.#jobs.set(job.id, job);
    const kept = rows.filter(() => !losses.takesNext());
    const dues = Float64Array.from(kept, ({ isNew, word }) => {
      const kind = isNew ? 'importNew' : 'importExisting';
      return clock.in(delayWithin(delays[kind], seed, kind, word));
    });
    scheduler.each(dues, (i) => this.#apply(kept[i]!, job));
    return job;
  }

  #apply({ row, original, carryOut }: ImportRow, job: KeptJob): void {
    const now = this.core.clock.wall();
    job.startedAt ??= now;
    const outcome = carryOut();
    if (!('code' in outcome)) {
      const [index] = outcome;
      for (const id of job.listIds) {
        for (const member of outcome) this.core.lists.get(id)?.join(member, now);
      }
      if (!job.seen.has(index!)) job.profiles[row] = index!;
      job.seen.add(index!);
      job.completed += 1;
    } else {
      const id = uuid(this.core.settings.seed, 'import error', job.id, String(row));
      job.errors.push({ ...outcome, id, original });
    }
    if (job.completed + job.errors.length < job.total) return;
    job.completedAt = now;
    job.seen.clear();
  }

  #job(id: string): KeptJob | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined || this.core.clock.now() < job.gone) return job;
    this.#jobs.delete(id);
    return undefined;
  }

  /** Recorded: base64 of the account's id, the second of creation and two short ids. */
  #newId(createdAt: number): string {
    const { seed, account } = this.core.settings;
    this.#made += 1;
    const [first, last] = ['first', 'last'].map((part) =>
      shortId(seed, 'import', String(this.#made), part),
    );
    const second = Math.floor(createdAt / 1_000);
    const name = `${account.id}_maintenance.${first}.${second}.${last}`;
    return Buffer.from(name).toString('base64url');
  }
}
