import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type {
  MigrationSettings,
  OutcomeCounts,
  PartCount,
  Phase,
  Totals,
  WatchProgress,
} from '../../contracts/migration.js';
import { MESSAGES, workflowIds } from '../../contracts/names.js';
import {
  countCalls,
  countSettledParts,
  countTotals,
  getMigration,
  problemParts,
  settledOverTime,
  type CallCount,
  type LedgerDb,
  type ReportedPart,
  type SettledOverTime,
} from '../../ledger/index.js';

/** A migration at its end, or so far. The keys are stable: they are those of `report --json`. */
export interface Report {
  readonly id: string;
  readonly phase: Phase;
  readonly paused: boolean;
  /** Why its calls wait for a person to act, such as a key that Klaviyo refuses; null if they do not. */
  readonly held: string | null;
  /** Why it stopped; null unless the phase is `failed`. */
  readonly failure: string | null;
  readonly source: { readonly name: string; readonly sha256: string; readonly preset: string };
  readonly rows: number;
  /** Rows by outcome. */
  readonly outcomes: OutcomeCounts;
  /** Rows without an outcome yet. */
  readonly open: number;
  readonly jobs: Totals['jobs'];
  /** Parts by channel, outcome and reason. */
  readonly parts: readonly PartCount[];
  readonly calls: readonly CallCount[];
  readonly reads: Reads;
  /** Null before the preflight. */
  readonly accountId: string | null;
  readonly settings: MigrationSettings;
  /** Share of the account's limits, above 0 to 1. */
  readonly share: number;
  /** The migration whose failed rows this one retries. */
  readonly retryOf: string | null;
  /** The program of a `consentry.yaml` that it runs; null if it belongs to none. */
  readonly program: string | null;
  readonly warnings: readonly string[];
  readonly times: {
    readonly createdAt: string;
    readonly finishedAt: string | null;
    readonly durationMs: number;
  };
}

/** What reading consent before and after cost: calls to the endpoints that read people. */
export interface Reads {
  readonly calls: number;
  /** Per 1,000 confirmed rows, to one decimal; null while none is confirmed. */
  readonly perThousandConfirmed: number | null;
}

const READ_ENDPOINTS: ReadonlySet<string> = new Set([
  'get_profiles',
  'get_profiles_for_list',
  'get_events',
]);

/** Refused and lost calls count too: they use up the account's limits. */
export function readsOf(calls: readonly CallCount[], confirmedRows: number): Reads {
  const reads = calls
    .filter(({ endpoint }) => READ_ENDPOINTS.has(endpoint))
    .reduce((sum, { calls: of }) => sum + of, 0);
  return {
    calls: reads,
    perThousandConfirmed:
      confirmedRows === 0 ? null : Math.round((reads * 10_000) / confirmedRows) / 10,
  };
}

export async function readReport(db: LedgerDb, id: string): Promise<Report> {
  const migration = await getMigration(db, id);
  const totals = await countTotals(db, id);
  const settled = Object.values(totals.outcomes).reduce((sum, rows) => sum + rows, 0);
  const end = migration.finishedAt ?? new Date();
  const calls = await countCalls(db, id);
  return {
    id,
    phase: migration.phase,
    paused: migration.paused,
    held: migration.held,
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
    calls,
    reads: readsOf(calls, totals.outcomes.confirmed ?? 0),
    accountId: migration.accountId,
    settings: migration.settings,
    share: migration.share,
    retryOf: migration.retryOf,
    program: migration.program,
    warnings: migration.preflight?.warnings ?? [],
    times: {
      createdAt: migration.createdAt.toISOString(),
      finishedAt: migration.finishedAt?.toISOString() ?? null,
      durationMs: end.getTime() - migration.createdAt.getTime(),
    },
  };
}

/** What a page about a run shows besides its report. Counts, except for the first problems. */
export interface ReportDetails {
  readonly report: Report;
  /** Settled parts over time. */
  readonly timeline: SettledOverTime;
  /** The first 1,000 parts that were refused or are unconfirmed. */
  readonly problems: readonly ReportedPart[];
  /** The watch on people who have not clicked; null if none runs any more. */
  readonly watch: WatchProgress | null;
}

const BUCKETS = 60;
const PROBLEMS = 1_000;

export async function readReportDetails(
  db: LedgerDb,
  client: Client,
  id: string,
): Promise<ReportDetails> {
  return {
    report: await readReport(db, id),
    timeline: await settledOverTime(db, id, BUCKETS),
    problems: await problemParts(db, id, PROBLEMS),
    watch: await watchOf(client, id),
  };
}

const QUERY_WITHIN_MS = 5_000;

/** A running watch's own state; null as well if no worker answers for it. */
async function watchOf(client: Client, id: string): Promise<WatchProgress | null> {
  const handle = client.workflow.getHandle(workflowIds.watch(id));
  try {
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') return null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
  return client.withDeadline(Date.now() + QUERY_WITHIN_MS, () =>
    handle.query<WatchProgress>(MESSAGES.progress).catch(() => null),
  );
}
