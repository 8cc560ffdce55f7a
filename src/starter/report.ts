import type { OutcomeCounts, PartCount, Phase, Totals } from '../contracts/migration.js';
import {
  countCalls,
  countSettledParts,
  countTotals,
  getMigration,
  reportedParts,
  type CallCount,
  type LedgerDb,
  type ReportedPart,
} from '../ledger/index.js';

/** The end, or the state so far, of a migration. The keys are stable: they are the `--json` output. */
export interface Report {
  readonly id: string;
  readonly phase: Phase;
  readonly paused: boolean;
  readonly failure: string | null;
  readonly source: { readonly name: string; readonly sha256: string; readonly preset: string };
  readonly rows: number;
  /** Rows by outcome, and those still open. */
  readonly outcomes: OutcomeCounts;
  readonly open: number;
  readonly jobs: Totals['jobs'];
  /** Channels of rows by outcome and reason. */
  readonly parts: readonly PartCount[];
  readonly calls: readonly CallCount[];
  readonly warnings: readonly string[];
  readonly times: {
    readonly createdAt: string;
    readonly finishedAt: string | null;
    readonly durationMs: number;
  };
}

export async function readReport(db: LedgerDb, id: string): Promise<Report> {
  const migration = await getMigration(db, id);
  const totals = await countTotals(db, id);
  const settled = Object.values(totals.outcomes).reduce((sum, rows) => sum + rows, 0);
  const end = migration.finishedAt ?? new Date();
  return {
    id,
    phase: migration.phase,
    paused: migration.paused,
    failure: migration.failure,
    source: {
      name: migration.sourceName,
      sha256: migration.sourceSha256,
      preset: migration.preset,
    },
    rows: totals.rows,
    outcomes: totals.outcomes,
    open: totals.rows - settled,
    jobs: totals.jobs,
    parts: await countSettledParts(db, id),
    calls: await countCalls(db, id),
    warnings: migration.preflight?.warnings ?? [],
    times: {
      createdAt: migration.createdAt.toISOString(),
      finishedAt: migration.finishedAt?.toISOString() ?? null,
      durationMs: end.getTime() - migration.createdAt.getTime(),
    },
  };
}

/** Refused parts in the order of the source, for the rejects file. */
export async function* rejectedParts(db: LedgerDb, id: string): AsyncGenerator<ReportedPart> {
  for await (const page of reportedParts(db, id)) {
    for (const part of page) if (part.outcome === 'rejected') yield part;
  }
}
