/** Rows of a source that are found together: see `reading` and `carried`. Never changes. */
export const BLOCK_ROWS = 1_000;

export function blockOf(rowNumber: number): number {
  return Math.floor(rowNumber / BLOCK_ROWS);
}
