const number = new Intl.NumberFormat('en-US');

/** `1 row`, `1,200 rows`. */
export function countedRows(rows: number): string {
  return `${number.format(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

/** The total rows of all groups, as text. */
export function rowsOf(groups: readonly { readonly rows: number }[]): string {
  return countedRows(groups.reduce((sum, { rows }) => sum + rows, 0));
}
