/** Names that workflows, workers, the CLI and the Web UI share. */

export const TASK_QUEUE = 'consentry';

export const workflowIds = {
  migration: (migrationId: string) => `consent-migration/${migrationId}`,
  segment: (migrationId: string, segment: number) =>
    `consent-migration/${migrationId}/segment-${segment}`,
  job: (migrationId: string, jobNumber: number) =>
    `consent-migration/${migrationId}/job-${jobNumber}`,
  check: (checkId: string) => `consent-check/${checkId}`,
  show: (requestId: string) => `consent-show/${requestId}`,
  forget: (requestId: string) => `consent-show/${requestId}/forget`,
  watch: (migrationId: string) => `confirmation-watch/${migrationId}`,
} as const;

export const MESSAGES = {
  pause: 'pause',
  resume: 'resume',
  approve: 'approve',
  setShare: 'setShare',
  progress: 'progress',
  plan: 'plan',
  settled: 'settled',
} as const;

/** Search attributes, set at start and on a change of phase only. */
export const SEARCH_ATTRIBUTES = {
  phase: 'ConsentryPhase',
  account: 'ConsentryAccount',
  operation: 'ConsentryOperation',
  list: 'ConsentryList',
  failed: 'ConsentryFailed',
  pending: 'ConsentryPending',
} as const;
