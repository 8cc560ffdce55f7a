/** Intents of one job: what one subscribe call takes at most. */
export const JOB_SIZE = 1_000;

/** Jobs of one batch, so that its history stays under 2,500 events and its open children under 500. */
export const BATCH_SIZE = 250;

/** Batches that may be open at once in one migration. */
export const OPEN_BATCHES = 4;

/** Profiles that a call takes, in Klaviyo’s own words ("Maximum number of profiles per call"). */
export const CALL_LIMITS = {
  /** `bulk_subscribe_profiles` */
  subscribe: 1_000,
  /** `bulk_unsubscribe_profiles` */
  unsubscribe: 100,
  /** `bulk_suppress_profiles` */
  suppress: 100,
  /** `bulk_import_profiles`: 10,000 is Klaviyo's limit; a job has at most 1,000 intents */
  import: 10_000,
  /** Values of one `any(...)` filter: one page of profiles, and a URL under 8 kB */
  lookUp: 100,
} as const;
