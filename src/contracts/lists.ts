import type { OptInProcess } from './channels.js';

/** Input of the `consentList` workflow. A list's name and process are no personal data. */
export interface ListInput {
  /** Of its run in the ledger. */
  readonly runId: string;
  readonly name: string;
  readonly optInProcess: OptInProcess;
  /** False: it is only looked for. */
  readonly createsIt: boolean;
}

/** A list that was created, or was there. The keys are those of `create-list --json`. */
export interface CreatedList {
  readonly id: string;
  readonly name: string;
  readonly optInProcess: OptInProcess;
  /** False if the account had it already. */
  readonly created: boolean;
}
