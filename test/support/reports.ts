import type { ReportedPart } from '../../src/ledger/index.js';
import type { Report } from '../../src/starter/migrations/report.js';
import { MIGRATION_SETTINGS } from './settings.js';

/** A part that the run subscribed and read back. */
export function reportedPart(change: Partial<ReportedPart> = {}): ReportedPart {
  return {
    rowNumber: 1,
    erased: false,
    line: 2,
    email: 'ada@example.com',
    phoneNumber: null,
    country: null,
    channel: 'email',
    operation: 'subscribe',
    outcome: 'confirmed',
    reason: null,
    settledBy: 'list_members',
    settledAt: new Date('2026-01-02T03:04:05Z'),
    consentBefore: 'NEVER_SUBSCRIBED',
    consentBeforeAt: null,
    consentAfter: 'SUBSCRIBED',
    consentAfterAt: new Date('2026-01-02T03:04:01Z'),
    readAt: new Date('2026-01-02T03:04:05Z'),
    askedAt: null,
    sent: true,
    requestId: 'r-1',
    ...change,
  };
}

export function report(change: Partial<Report> = {}): Report {
  return {
    id: '20260102-1a2b3c4d',
    phase: 'done',
    paused: false,
    held: null,
    failure: null,
    source: { name: 'people.csv', sha256: 'ab12', preset: 'generic' },
    rows: 1_000_000,
    outcomes: { confirmed: 900_000, pending_double_opt_in: 60_000, rejected: 40_000 },
    open: 0,
    jobs: { total: 960, submitted: 960, settled: 960 },
    parts: [
      { channel: 'email', outcome: 'pending_double_opt_in', reason: 'no_click_yet', parts: 60_000 },
      { channel: 'email', outcome: 'confirmed', reason: null, parts: 900_000 },
      { channel: 'email', outcome: 'rejected', reason: 'email_invalid', parts: 40_000 },
    ],
    calls: [
      { endpoint: 'bulk_subscribe_profiles', status: '202', calls: 960, durationMs: 96_000 },
      { endpoint: 'get_profiles', status: '200', calls: 9_600, durationMs: 960_000 },
      { endpoint: 'get_profiles', status: '429', calls: 3, durationMs: 60 },
    ],
    reads: { calls: 9_603, perThousandConfirmed: 10.7 },
    accountId: 'AbC123',
    settings: {
      ...MIGRATION_SETTINGS,
      listId: 'XyZ987',
      expectedOptIn: 'double_opt_in',
      customSource: 'consentry generic 20260102-1a2b3c4d',
    },
    share: 0.5,
    retryOf: null,
    program: null,
    warnings: [],
    times: {
      createdAt: '2026-01-02T03:00:00.000Z',
      finishedAt: '2026-01-02T03:40:00.000Z',
      durationMs: 2_400_000,
    },
    ...change,
  };
}

export async function* pagesOf(
  ...pages: readonly ReportedPart[][]
): AsyncGenerator<ReportedPart[]> {
  yield* pages;
}
