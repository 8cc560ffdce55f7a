import type { ProfileDetails } from '../../store/details.js';

/** What a request does to custom properties besides setting them. */
export interface PropertyPatch {
  append: Readonly<Record<string, unknown>>;
  unappend: Readonly<Record<string, unknown>>;
  unset: readonly string[];
}

/** Attributes that are objects: the sent keys are merged into the existing ones. */
const OBJECTS: ReadonlySet<string> = new Set(['properties', 'location']);

/** The details with the given ones set; null clears one. */
export function withDetails(present: ProfileDetails, given: ProfileDetails): ProfileDetails {
  const next: Record<string, unknown> = { ...present };
  for (const [field, value] of Object.entries(given)) {
    if (value === null) delete next[field];
    else if (OBJECTS.has(field))
      next[field] = { ...(present[field] as object), ...(value as object) };
    else next[field] = value;
  }
  return next;
}

/** The details with their `properties` patched: `append`, then `unappend`, then `unset`. */
export function withPatchedProperties(
  present: ProfileDetails,
  { append, unappend, unset }: PropertyPatch,
): ProfileDetails {
  const properties = { ...(present['properties'] as Record<string, unknown> | undefined) };
  for (const [name, values] of Object.entries(append)) {
    properties[name] = distinct([...listOf(properties[name]), ...listOf(values)]);
  }
  for (const [name, values] of Object.entries(unappend)) {
    const gone = new Set(listOf(values).map((value) => JSON.stringify(value)));
    const list = properties[name];
    if (!Array.isArray(list)) continue;
    properties[name] = list.filter((value) => !gone.has(JSON.stringify(value)));
  }
  for (const name of unset) delete properties[name];
  const isEmpty = Object.keys(properties).length === 0;
  return isEmpty && !('properties' in present) ? present : { ...present, properties };
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function distinct(values: readonly unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
