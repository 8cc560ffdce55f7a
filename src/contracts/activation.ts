import type { MigrationInput, MigrationSettings } from './migration.js';
import type { SegmentDefinition, SegmentFound } from './segments.js';
import type { SecretReference, SyncInterval } from './sync.js';

/** Where the people of a segment are, for a worker. */
export type ActivationSource =
  /** Absolute path on the machine where the worker runs. */
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'database'; readonly url: SecretReference; readonly query: string };

/** What a worker needs to run a segment by itself; stored in the ledger without secrets. */
export interface ActivationSettings {
  readonly source: ActivationSource;
  /** How the source is read: `ImportOptions` of `importers`, without `now`. */
  readonly importing: Readonly<Record<string, unknown>>;
  readonly definition: Omit<SegmentDefinition, 'accountId' | 'program'>;
  /** Of each run's migration; without a custom source, the preset and the run's id are it. */
  readonly migration: Omit<MigrationSettings, 'customSource' | 'reading'> & {
    readonly customSource: string | null;
  };
  readonly share: number;
  /** How each migration goes. */
  readonly input: Omit<MigrationInput, 'migrationId'>;
  /** When it runs by itself. */
  readonly every: SyncInterval;
  /** Without a success for longer than this, its operator is told. Milliseconds; null for never. */
  readonly lateAfterMs: number | null;
  /** Address that is told when a run waits for an answer, is late, failed, or all is well again. */
  readonly notify: SecretReference | null;
}

/** How many people a person has approved for one run. */
export interface Approved {
  /** Hash of the settings that found them: of others nothing was approved. */
  readonly settings: string;
  readonly enter: number;
  readonly leave: number;
}

/** How a run of a segment is, or ended. The keys are stable: they are in `--json`. */
export const ACTIVATION_STATES = [
  /** Its source is read and compared. */
  'comparing',
  /** It would do more than the brakes allow, and waits for `program approve` or `reject`. */
  'braked',
  /** Its migration works. */
  'running',
  'done',
  /** There was nothing to do for anybody. */
  'nothing_to_do',
  'rejected',
  'failed',
  'cancelled',
  /** Another run of the program was working. */
  'skipped',
] as const;
export type ActivationState = (typeof ACTIVATION_STATES)[number];

/** What one execution of `consentActivation` is about. */
export interface ActivationInput {
  /** Klaviyo's id. */
  readonly account: string;
  /** Its name: a number of the ledger would be somebody else's after the ledger was lost. */
  readonly program: string;
}

export interface ActivationStep extends ActivationInput {
  /** Of this run. */
  readonly runId: string;
}

/** What a comparison found. */
export interface Comparison {
  readonly found: SegmentFound;
  /** Why it waits for a person; null if it does not. Counts only. */
  readonly braked: string | null;
  /** Rows of its migration, which is stored; 0 if there is nothing to do. */
  readonly rows: number;
  /** Of this comparison; null if it waits. */
  readonly generation: number | null;
  readonly input: ActivationSettings['input'];
  /** Hash of what the run does. */
  readonly settings: string;
}

/** Counts and states alone: the same object as the details in the Web UI. */
export interface ActivationProgress {
  readonly runId: string;
  readonly state: ActivationState;
  readonly found: SegmentFound | null;
  /** Of its migration; null before there is one. */
  readonly migrationId: string | null;
  /** Why it waits, failed or did nothing. */
  readonly why: string | null;
}

export interface ActivationResult extends ActivationProgress {
  /** Of the last comparison that any run noted: the next one knows by it that the ledger is not an older one. */
  readonly generation: number | null;
}
