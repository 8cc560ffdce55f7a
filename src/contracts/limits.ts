/** Intents of one job. Klaviyo's batch limit for one subscribe call. */
export const JOB_SIZE = 1_000;

/** Jobs of one segment: keeps every history under 1,000 events and open children under 500. */
export const SEGMENT_SIZE = 250;

/** Segments that may be open at once in one migration. */
export const OPEN_SEGMENTS = 4;

/** Klaviyo's batch limits in its own words ("Maximum number of profiles per call"). */
export const BATCH_LIMITS = {
  /** `bulk_subscribe_profiles` */
  subscribe: 1_000,
  /** `bulk_unsubscribe_profiles` */
  unsubscribe: 100,
  /** `bulk_suppress_profiles` */
  suppress: 100,
  /** `bulk_import_profiles`: 10,000 is Klaviyo's limit; a job has at most 1,000 intents */
  import: 10_000,
  /** `add_profiles_to_list` */
  addToList: 1_000,
  /** Values of one `any(...)` filter: one page of profiles, and a URL under 8 kB */
  lookUp: 100,
} as const;
