import * as z from 'zod';
import { WorkersDifferError } from './errors.js';

/*
 * What the marker keeps: how far a sync has come. Times are Klaviyo's, unless they say otherwise. No
 * person is in it.
 */

const window = z.object({
  after: z.string().nullable(),
  before: z.string(),
  position: z.string().nullable(),
  cursor: z
    .object({ next: z.string(), after: z.string().nullable(), before: z.string() })
    .nullable(),
  read: z.number(),
});

const reading = z.object({
  whole: z.enum(['first', 'sweep']),
  /** When it began: whoever was created later is found by what changed. */
  began: z.string(),
  /** The same by the ledger's clock, which dates what was read. */
  beganInLedger: z.string(),
  /** Changes before this should have been noticed already; null in the first run. */
  noticedUntil: z.string().nullable(),
  windows: z.array(window),
  /** Profiles that were read so far. */
  read: z.number(),
});

const state = z.object({
  version: z.literal(1),
  /** What changed was read up to here; null before the first reading. */
  changesUntil: z.string().nullable(),
  /** When the last whole reading began that came to its end. */
  wholeAt: z.string().nullable(),
  /** The same by the ledger's clock. */
  wholeAtInLedger: z.string().nullable(),
  reading: reading.nullable(),
  /**
   * The newest time by the ledger's clock that anything was dated with; null before that was kept. If that
   * clock goes back, what is read later is still dated later.
   */
  datedUntil: z.string().nullable().default(null),
});

export type SyncState = z.infer<typeof state>;
export type WholeReadingState = z.infer<typeof reading>;

export const NEW_STATE: SyncState = {
  version: 1,
  changesUntil: null,
  wholeAt: null,
  wholeAtInLedger: null,
  reading: null,
  datedUntil: null,
};

/** @throws WorkersDifferError if another version of Consentry wrote it */
export function parseState(stored: object): SyncState {
  const parsed = state.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new WorkersDifferError();
}
