import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { delayWithin } from '../../settings/delays.js';
import { ulid } from '../../chance/ulid.js';
import type { Core } from '../core.js';

/** What is exported: a list or a segment, by type and id. */
export interface ExportGroup {
  readonly type: 'list' | 'segment';
  readonly id: string;
}

/** Dates in epoch ms. */
export interface ExportJob {
  readonly id: string;
  readonly group: ExportGroup;
  readonly createdAt: number;
  status: 'processing' | 'complete' | 'expired' | 'failed';
  /** When a complete export expires. */
  expiresAt: number | null;
  /** Why it failed. */
  error: string | null;
  /** Gzipped CSV of a complete export. */
  file: Uint8Array | null;
}

/** Provides the content of an export. */
export interface ExportSource {
  /** Numbers of the profiles in the group when the export runs; null if the group is gone. */
  members(): Iterable<number> | null;
  header: string;
  /** CSV lines of these profiles. */
  write(members: readonly number[]): string;
}

/** How long a file is kept: not documented, our choice. */
const KEPT_MS = 86_400_000;
/** Rows written before other work gets a turn. */
const ROWS_A_TURN = 500;

/** Bulk exports: a snapshot of a group as a file, after a delay. */
export class Exporting {
  readonly #jobs = new Map<string, ExportJob>();
  #closed = false;

  constructor(private readonly core: Pick<Core, 'settings' | 'clock' | 'scheduler'>) {}

  job(id: string): ExportJob | undefined {
    return this.#jobs.get(id);
  }

  accept(group: ExportGroup, source: ExportSource): ExportJob {
    const { settings, clock, scheduler } = this.core;
    const { seed, delays } = settings;
    const createdAt = clock.wall();
    const job: ExportJob = {
      id: ulid(createdAt, seed, 'export', String(this.#jobs.size)),
      group,
      createdAt,
      status: 'processing',
      expiresAt: null,
      error: null,
      file: null,
    };
    this.#jobs.set(job.id, job);
    const wait = delayWithin(delays.export, seed, 'export', String(this.#jobs.size));
    scheduler.at(clock.in(wait), () => this.#run(job, source));
    return job;
  }

  close(): void {
    this.#closed = true;
  }

  #run(job: ExportJob, source: ExportSource): void {
    const members = source.members();
    if (members === null) {
      job.status = 'failed';
      job.error = `The ${job.group.type} ${job.group.id} no longer exists.`;
      return;
    }
    const all = [...members];
    if (all.length <= ROWS_A_TURN) {
      this.#finish(job, gzipSync(source.header + source.write(all)));
      return;
    }
    this.#inTurns(all, source).then(
      (file) => this.#finish(job, file),
      (error: unknown) => {
        job.status = 'failed';
        job.error = String(error);
      },
    );
  }

  async #inTurns(all: readonly number[], source: ExportSource): Promise<Uint8Array> {
    const gzip = createGzip();
    const pieces: Buffer[] = [];
    gzip.on('data', (piece: Buffer) => pieces.push(piece));
    const ended = once(gzip, 'end');
    gzip.write(source.header);
    for (let at = 0; at < all.length && !this.#closed; at += ROWS_A_TURN) {
      if (!gzip.write(source.write(all.slice(at, at + ROWS_A_TURN)))) await once(gzip, 'drain');
      await nextTurn();
    }
    gzip.end();
    await ended;
    return Buffer.concat(pieces);
  }

  #finish(job: ExportJob, file: Uint8Array): void {
    const { clock, scheduler } = this.core;
    job.status = 'complete';
    job.file = file;
    job.expiresAt = clock.wall() + KEPT_MS / clock.speed;
    scheduler.at(clock.in(KEPT_MS), () => {
      job.status = 'expired';
      job.file = null;
    });
  }
}
