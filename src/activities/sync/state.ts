import * as z from 'zod';
import type { SyncSettings } from '../../contracts/sync.js';
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

const lists = z.object({
  /** What the memberships are written into: see `listsIn`. */
  in: z.string(),
  /** Lists up to this id were read, in the order of ids. */
  after: z.string(),
  /** The one that is being read. */
  list: z
    .object({
      id: z.string(),
      /** When its reading began, and the same by the ledger's clock. */
      began: z.string(),
      beganInLedger: z.string(),
      windows: z.array(window),
    })
    .nullable(),
  isOver: z.boolean(),
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
  /** How far the lists were read, which comes after the profiles; null before that. */
  lists: lists.nullable().default(null),
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
  /** What has all memberships as of the last whole reading, and what changed since; null if nothing has. */
  listsIn: z.string().nullable().default(null),
  /** Tables beside the one of consent that were written to by the last run; null before that was kept. */
  beside: z
    .object({ history: z.string().nullable(), lists: z.string().nullable() })
    .nullable()
    .default(null),
});

export type SyncState = z.infer<typeof state>;
export type WholeReadingState = z.infer<typeof reading>;
export type ListsReadingState = z.infer<typeof lists>;

export const NEW_STATE: SyncState = {
  version: 1,
  changesUntil: null,
  wholeAt: null,
  wholeAtInLedger: null,
  reading: null,
  datedUntil: null,
  listsIn: null,
  beside: null,
};

/** What a sync writes memberships of lists into, as `listsIn` has it; null if it writes none. */
export function listsInOf({ to }: Pick<SyncSettings, 'to'>): string | null {
  if (to.lists === undefined) return null;
  return to.lists === true ? 'files' : `table ${to.lists}`;
}

/** Tables that a sync writes to beside the one of consent, as `beside` has them. */
export function tablesBeside(settings: Pick<SyncSettings, 'to'>): NonNullable<SyncState['beside']> {
  const { to } = settings;
  return { history: to.kind === 'table' ? to.history : null, lists: listsInOf(settings) };
}

/** Whether memberships have been read into this, so that their changes are to be read too. */
export function keepsLists({ listsIn, reading }: SyncState, into: string | null): boolean {
  return into !== null && (listsIn === into || reading?.lists?.in === into);
}

/** The same state, but no memberships have been read. */
export function withoutLists(state: SyncState): SyncState {
  const { reading } = state;
  return { ...state, listsIn: null, reading: reading && { ...reading, lists: null } };
}

/** @throws WorkersDifferError if another version of Consentry wrote it */
export function parseState(stored: object): SyncState {
  const parsed = state.safeParse(stored);
  if (parsed.success) return parsed.data;
  throw new WorkersDifferError();
}
