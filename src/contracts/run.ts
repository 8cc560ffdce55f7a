/**
 * What a run does: a migration applies a source, a check reads an account as a migration would, a
 * person's run reads one person, a list's run creates one list, a sync's run writes consent into a database, an activation compares a segment and starts a migration. A watch has no run of its own: it works for the run that it follows.
 */
export const RUN_KINDS = ['migration', 'check', 'person', 'list', 'sync', 'activation'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** The run that a workflow and its activities work for: calls and shares of the limits belong to it. */
export interface Run {
  readonly kind: RunKind;
  /** Of the run in the ledger. */
  readonly id: string;
}

/** The header that tells an activity its run. */
export const RUN_HEADER = 'consentry-run';
