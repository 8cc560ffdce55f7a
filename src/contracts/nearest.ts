/** The name that was probably meant; null if none is similar. */
export function nearest(typed: string, names: readonly string[]): string | null {
  const [best] = similar(typed, names, (name) => name);
  return best ?? null;
}

/** Those that were probably meant, the most similar first. */
export function similar<T>(typed: string, all: readonly T[], nameOf: (one: T) => string): T[] {
  return all
    .map((one) => ({ one, name: nameOf(one).toLowerCase() }))
    .map(({ one, name }) => ({ one, name, changes: changesBetween(typed.toLowerCase(), name) }))
    .filter(({ name, changes }) => changes <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.changes - b.changes)
    .map(({ one }) => one);
}

/** Letters to insert, delete or replace to turn one word into the other (Levenshtein distance). */
function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, taken) => taken);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [place, wanted] of [...other].entries()) {
      const replaced = (row[place] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
