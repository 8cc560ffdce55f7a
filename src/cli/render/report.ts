import type { MigrationSummary } from '../../ledger/index.js';
import type { Report } from '../../starter/migrations/report.js';
import { renderOutcomes, renderParts } from './outcomes.js';
import { phaseWords } from './progress.js';
import { count, counted, duration } from './quantities.js';
import { table } from './table.js';

/** A migration at its end, or so far. */
export function renderReport(report: Report): string {
  const { source, times } = report;
  const head = [
    `Migration ${report.id}: ${phaseWords(report)}`,
    ...(report.program === null ? [] : [`Program: ${report.program}`]),
    `Source: ${source.name} (${source.preset})`,
    times.finishedAt === null
      ? `Started ${times.createdAt}, running for ${duration(times.durationMs)}`
      : `Started ${times.createdAt}, took ${duration(times.durationMs)}`,
  ];
  if (report.failure !== null) head.push(`Stopped: ${report.failure}`);
  head.push(...report.warnings.map((warning) => `Warning: ${warning}`));
  return [
    head.join('\n'),
    renderOutcomes(report.outcomes, report.rows),
    renderParts(report.parts),
    renderCalls(report.calls),
    ...(report.calls.length === 0 ? [] : [readsWords(report.reads)]),
  ].join('\n\n');
}

/** The cost of reading before and after, per 1,000 confirmed rows. */
export function readsWords({ calls, perThousandConfirmed }: Report['reads']): string {
  const reads = `${counted(calls, 'read')} of people`;
  return perThousandConfirmed === null
    ? `${reads}.`
    : `${reads}: ${perThousandConfirmed.toLocaleString('en-US')} per 1,000 confirmed rows.`;
}

/** Calls that were made, by endpoint and HTTP status. */
export function renderCalls(calls: Report['calls']): string {
  if (calls.length === 0) return 'No calls to Klaviyo yet.';
  return table(
    [
      { head: 'endpoint' },
      { head: 'status' },
      { head: 'calls', align: 'right' },
      { head: 'mean', align: 'right' },
    ],
    calls.map(({ endpoint, status, calls: of, durationMs }) => [
      endpoint,
      status,
      count(of),
      duration(durationMs / of),
    ]),
  );
}

export function renderMigrations(migrations: readonly MigrationSummary[]): string {
  if (migrations.length === 0) return 'There are no migrations yet.';
  return table(
    [{ head: 'id' }, { head: 'source' }, { head: 'phase' }, { head: 'started' }, { head: 'took' }],
    migrations.map(({ id, sourceName, phase, createdAt, finishedAt }) => [
      id,
      sourceName,
      phase,
      createdAt.toISOString(),
      finishedAt === null ? '' : duration(finishedAt.getTime() - createdAt.getTime()),
    ]),
  );
}
