/** Another version of Consentry wrote the marker. */
export class WorkersDifferError extends Error {
  override readonly name = 'WorkersDifferError';
  constructor() {
    super(
      'The marker of the sync in its destination was written by another version of Consentry. Start all ' +
        "workers with one version, or begin anew with 'consentry sync reset'.",
    );
  }
}

/** The ledger and the destination do not speak of the same state of a sync. */
export class SyncDiffersError extends Error {
  override readonly name = 'SyncDiffersError';
}
