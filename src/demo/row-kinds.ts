import { Random } from './random.js';

/** Rows of one block; each block has the same number of rows of each kind, in its own order. */
export const BLOCK = 1_000;

/** The special kinds of rows, and how many of each 1,000 rows are of the kind. */
const IN_A_BLOCK = {
  phone: 300,
  phone_country_without_sender: 12,
  phone_landline: 8,
  phone_malformed: 10,
  phone_scientific_notation: 6,
  phone_toll_free: 2,
  email_malformed: 8,
  identifier_missing: 3,
  email_missing: 2,
  duplicate_email: 12,
  duplicate_phone: 8,
  undated: 19,
  undated_filtered: 1,
  filtered: 1,
  date_in_future: 3,
  date_before_1990: 3,
  date_malformed: 2,
  row_malformed: 1,
} as const;

/** `plain`: with a date, a valid address and no phone number. */
export type RowKind = keyof typeof IN_A_BLOCK | 'plain';

export interface RowPlan {
  /** From 0. */
  readonly row: number;
  readonly kind: RowKind;
  /** How many rows of the kind came before. */
  readonly ordinal: number;
  /** For the duplicates: the earlier row that they repeat. */
  readonly original: RowPlan | null;
}

/** The kinds of all rows in order. A duplicate without an earlier row becomes plain. */
export function* rowPlans(seed: number, rows: number): Generator<RowPlan, void, undefined> {
  const counts = new Map<RowKind, number>();
  for (let start = 0; start < rows; start += BLOCK) {
    const random = new Random(seed, start, 2);
    const originals: Record<'plain' | 'phone', RowPlan[]> = { plain: [], phone: [] };
    for (const [at, drawn] of kindsOfBlock(random).entries()) {
      const row = start + at;
      if (row >= rows) return;
      const original = originalOf(drawn, originals, random);
      const kind = isDuplicate(drawn) && original === null ? 'plain' : drawn;
      const ordinal = counts.get(kind) ?? 0;
      counts.set(kind, ordinal + 1);
      const plan = { row, kind, ordinal, original };
      if (kind === 'plain' || kind === 'phone') originals[kind].push(plan);
      yield plan;
    }
  }
}

export function kindCounts(seed: number, rows: number): Partial<Record<RowKind, number>> {
  const counts: Partial<Record<RowKind, number>> = {};
  for (const { kind } of rowPlans(seed, rows)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function kindsOfBlock(random: Random): RowKind[] {
  const kinds = (Object.keys(IN_A_BLOCK) as (keyof typeof IN_A_BLOCK)[]).flatMap((kind) =>
    Array.from({ length: IN_A_BLOCK[kind] }, (): RowKind => kind),
  );
  const plain = Array.from({ length: BLOCK - kinds.length }, (): RowKind => 'plain');
  return random.shuffled([...kinds, ...plain]);
}

function isDuplicate(kind: RowKind): kind is 'duplicate_email' | 'duplicate_phone' {
  return kind === 'duplicate_email' || kind === 'duplicate_phone';
}

/** An earlier row of the block; each is repeated at most once. */
function originalOf(
  kind: RowKind,
  originals: Record<'plain' | 'phone', RowPlan[]>,
  random: Random,
): RowPlan | null {
  if (!isDuplicate(kind)) return null;
  const candidates = originals[kind === 'duplicate_email' ? 'plain' : 'phone'];
  if (candidates.length === 0) return null;
  return candidates.splice(random.below(candidates.length), 1)[0] ?? null;
}
