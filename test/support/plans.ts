import type { Plan, Preflight, Totals } from '../../src/contracts/migration.js';

/** What the check before a run finds in an account that stands in nobody's way. */
export const PREFLIGHT: Preflight = {
  accountId: 'ACCT01',
  list: null,
  optInProcess: null,
  sms: { source: 'not_needed', countries: [] },
  flows: null,
  access: [],
  limits: [],
  warnings: [],
};

/** A plan of one job that subscribes one row. */
export function planOfOne(job: Pick<Plan['jobs'][number], 'settleWithinMs' | 'canary'>): Plan {
  return {
    rows: 1,
    jobs: [{ firstJob: 1, jobs: 1, operation: 'subscribe', rows: 1, rowsPerJob: 1, ...job }],
    settledBefore: [],
    toSend: [],
    calls: {},
    doubleOptInMessages: 0,
    askedAlready: 0,
    madeReachable: { subscribed: 0, neverSubscribed: 0 },
    leaveBothTexts: 0,
    isUndo: false,
    sharedDates: [],
    notes: [],
    atLeastMs: 0,
  };
}

/** How far a run of that plan is. */
export function totalsOfOne(jobs: Partial<Totals['jobs']> = {}): Totals {
  return {
    rows: 1,
    outcomes: {},
    accepted: 0,
    jobs: { total: 1, submitted: 0, settled: 0, ...jobs },
  };
}
