import type { TruthLine } from 'klaviyo-sandbox';
import { expectedRow, inOrder } from './truth.js';

/** A row as a reader of a destination gets it: times as text, in UTC. */
export type FoundRow = Readonly<Record<string, unknown>>;

/** What rows that are neither deleted nor merged say otherwise than the account does. */
export function differencesOf(rows: readonly FoundRow[], truth: Iterable<TruthLine>): string[] {
  const left = new Map(rows.map((row) => [String(row['profile_id']), row]));
  const differences: string[] = [];
  for (const line of truth) {
    const row = left.get(line.id);
    left.delete(line.id);
    if (row === undefined) {
      differences.push(`the profile ${line.id} has no row`);
      continue;
    }
    for (const [column, value] of expectedRow(line)) {
      const found = shown(column, row[column]);
      if (found === value) continue;
      differences.push(
        `${column} of ${line.id} is ${JSON.stringify(found)}, not ${JSON.stringify(value)}`,
      );
    }
  }
  return [...differences, ...[...left.keys()].map((id) => `the row ${id} has no profile`)];
}

/** A value in the form of `expectedRow`, whatever server or file it is from. */
export function shown(column: string, value: unknown): unknown {
  if (column.endsWith('suppressions')) {
    const items: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return Array.isArray(items) ? inOrder(items as object[]) : items;
  }
  const match = typeof value === 'string' ? STAMP.exec(value) : null;
  return match === null ? value : `${match[1]} ${match[2]}.${(match[3] ?? '').padEnd(6, '0')}`;
}

const STAMP = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00|Z)?$/;

/** What current memberships, with `left_at` null, say otherwise than the account does. */
export function memberDifferences(
  rows: readonly FoundRow[],
  truth: Iterable<TruthLine>,
  lists: readonly { readonly id: string; readonly name: string }[],
): string[] {
  const names = new Map(lists.map(({ id, name }) => [id, name]));
  const left = new Map(rows.map((row) => [keyOf(row['list_id'], row['profile_id']), row]));
  const differences: string[] = [];
  for (const { id, lists: held } of truth) {
    for (const { id: listId, joined_group_at: joinedAt } of held) {
      const key = keyOf(listId, id);
      const row = left.get(key);
      left.delete(key);
      if (row === undefined) {
        differences.push(`the membership of ${key} has no row`);
        continue;
      }
      const found = JSON.stringify([row['list_name'], shown('joined_at', row['joined_at'])]);
      const expected = JSON.stringify([
        names.get(listId),
        shown('joined_at', joinedAt.replace('+00:00', 'Z')),
      ]);
      if (found !== expected)
        differences.push(`the membership of ${key} is ${found}, not ${expected}`);
    }
  }
  return [...differences, ...[...left.keys()].map((key) => `the row ${key} is no membership`)];
}

const keyOf = (listId: unknown, profileId: unknown): string =>
  `${String(listId)} ${String(profileId)}`;
