/** Most intents of one job: the limit of one subscribe call. */
export const JOB_SIZE = 1_000;

/** Most jobs of one batch: its history stays under 2,500 events and its open children under 500. */
export const BATCH_SIZE = 250;

/**
 * Most jobs that have started and are not past their submit, in batches. More would only wait for the
 * account's limits.
 */
export const SUBMITTING_BATCHES = 4;

/**
 * Most batches of one migration that are open at once, most of them waiting for Klaviyo: 100 million
 * rows. Temporal advises fewer than 500 open children.
 */
export const OPEN_BATCHES = 400;

/** Klaviyo's "Maximum number of profiles per call". */
export const CALL_LIMITS = {
  /** `bulk_subscribe_profiles` */
  subscribe: 1_000,
  /** `bulk_unsubscribe_profiles` */
  unsubscribe: 100,
  /** `bulk_suppress_profiles` and `bulk_unsuppress_profiles` */
  suppress: 100,
  /** `remove_profiles_from_list`: by id, at most 1,000; a job has at most as many rows */
  removeFromList: 1_000,
  /** `bulk_import_profiles`: Klaviyo's limit; a job has at most 1,000 intents */
  import: 10_000,
  /** Values of one `any(...)` filter: one page of profiles, and a URL under 8 kB */
  lookUp: 100,
} as const;
