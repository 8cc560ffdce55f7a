/** Names that workflows, workers, the CLI and the Web UI share. */

/** Every account has its own task queue: only workers with a key of that account see its runs. */
export function taskQueueOf(accountId: string, prefix: string = TASK_QUEUES): string {
  return `${prefix}-${accountId}`;
}

/** The prefix of all task queue names. */
export const TASK_QUEUES = 'consentry';

/**
 * Task queues beside an account's own, for activities that a person waits for. Each has slots of its
 * own, so none waits behind activities that wait for Klaviyo. `steering` only has activities that
 * call nobody but the ledger and Temporal; `asking` has those that read Klaviyo for an answer.
 */
export const QUEUES_BESIDE = ['steering', 'asking'] as const;
export type QueueBeside = (typeof QUEUES_BESIDE)[number];

export function queueBeside(taskQueue: string, queue: QueueBeside): string {
  return `${taskQueue}-${queue}`;
}

export const workflowIds = {
  migration: (migrationId: string) => `consent-migration/${migrationId}`,
  batch: (migrationId: string, batch: number) => `consent-migration/${migrationId}/batch-${batch}`,
  job: (migrationId: string, jobNumber: number) =>
    `consent-migration/${migrationId}/job-${jobNumber}`,
  check: (checkId: string) => `consent-check/${checkId}`,
  show: (requestId: string) => `consent-show/${requestId}`,
  forget: (requestId: string) => `consent-show/${requestId}/forget`,
  /** One at a time for each name: two at once would create two lists. */
  list: (accountId: string, nameHash: string) => `consent-list/${accountId}/${nameHash}`,
  /** Of a run that a person asked for; those of a Schedule have its name and their time. */
  sync: (syncId: string) => `consent-sync/${syncId}`,
  /** Those of a Schedule have its name and their time. */
  activation: (account: string, program: string) => `consent-activation/${account}/${program}`,
  validation: (runId: string) => `consent-sync-validation/${runId}`,
  watch: (migrationId: string) => `confirmation-watch/${migrationId}`,
  optOutWatch: (migrationId: string) => `opt-out-watch/${migrationId}`,
} as const;

export const MESSAGES = {
  pause: 'pause',
  resume: 'resume',
  approve: 'approve',
  reject: 'reject',
  setShare: 'setShare',
  progress: 'progress',
  plan: 'plan',
  settled: 'settled',
  resumed: 'resumed',
  held: 'held',
  pastSubmit: 'pastSubmit',
  stopped: 'stopped',
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
