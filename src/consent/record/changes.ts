import { RECORD_CHANNELS, specOf, type RecordChannel } from './channels.js';
import {
  columnOf,
  IDENTIFIERS,
  LIST_SUPPRESSIONS,
  maySendColumn,
  SUPPRESSIONS,
  type ColumnValue,
} from './columns.js';
import type { ConsentRow } from './record.js';

/** What a change is about: a channel's consent, a suppression, an identifier, or the profile itself. */
export type ChangedThing =
  | RecordChannel
  | typeof SUPPRESSIONS
  | typeof LIST_SUPPRESSIONS
  | (typeof IDENTIFIERS)[number]
  | 'profile';

/** A change of a profile. */
export interface Change {
  readonly thing: ChangedThing;
  /** Consent words, JSON of suppressions, identifiers; of the profile `deleted` and the like. */
  readonly before: string | null;
  readonly after: string | null;
  /** When it happened, by Klaviyo's time stamps; null if they do not say. */
  readonly happenedAt: string | null;
}

/** A consent that says nothing new of a profile that nobody knew. */
const SILENT: ReadonlySet<ColumnValue> = new Set([null, 'NEVER_SUBSCRIBED', '[]']);

/**
 * What changed between two readings of a profile, one for each channel, suppression and identifier.
 * A channel whose consent was renewed has the same word before and after.
 *
 * @param before null if the profile was not known: what says something is then a change
 */
export function changesBetween(before: ConsentRow | null, after: ConsentRow): Change[] {
  const changes: Change[] = [];
  for (const channel of RECORD_CHANNELS) {
    if (isChannelChanged(before, after, channel))
      changes.push(channelChange(before, after, channel));
  }
  for (const name of [SUPPRESSIONS, LIST_SUPPRESSIONS] as const) {
    if (!differs(before, after, name)) continue;
    changes.push({
      ...valuesOf(before, after, name),
      thing: name,
      happenedAt: newestAdded(before?.[name] ?? null, after[name] ?? null),
    });
  }
  for (const name of IDENTIFIERS) {
    if (before === null || before[name] === after[name]) continue;
    changes.push({ ...valuesOf(before, after, name), thing: name, happenedAt: null });
  }
  return changes;
}

function isChannelChanged(
  before: ConsentRow | null,
  after: ConsentRow,
  channel: RecordChannel,
): boolean {
  if (before === null) return !SILENT.has(after[columnOf(channel, 'consent')] ?? null);
  const columns = specOf(channel).fields.map((field) => columnOf(channel, field));
  return [...columns, maySendColumn(channel)].some((name) => before[name] !== after[name]);
}

function channelChange(
  before: ConsentRow | null,
  after: ConsentRow,
  channel: RecordChannel,
): Change {
  return {
    ...valuesOf(before, after, columnOf(channel, 'consent')),
    thing: channel,
    happenedAt: newStamps(before, after, channel)[0] ?? null,
  };
}

/** Time stamps of a channel that are new, the consent's own first. */
function newStamps(before: ConsentRow | null, after: ConsentRow, channel: RecordChannel): string[] {
  return (['consent_timestamp', 'last_updated'] as const)
    .filter((field) => specOf(channel).fields.includes(field))
    .map((field) => columnOf(channel, field))
    .flatMap((name) => {
      const value = after[name];
      return before?.[name] !== value && typeof value === 'string' ? [value] : [];
    });
}

/**
 * When Klaviyo changed what a change is about, from which on it could be noticed: a consent that was
 * imported has a date of its own that is long past. Null if Klaviyo does not say.
 */
export function changedAt(
  before: ConsentRow | null,
  after: ConsentRow,
  { thing, happenedAt }: Pick<Change, 'thing' | 'happenedAt'>,
): string | null {
  const channel = RECORD_CHANNELS.find((each) => each === thing);
  if (channel === undefined) return happenedAt;
  return newStamps(before, after, channel).sort().at(-1) ?? null;
}

function differs(before: ConsentRow | null, after: ConsentRow, name: string): boolean {
  return before === null ? !SILENT.has(after[name] ?? null) : before[name] !== after[name];
}

function valuesOf(before: ConsentRow | null, after: ConsentRow, name: string) {
  return { before: textOf(before?.[name]), after: textOf(after[name]) };
}

function textOf(value: ColumnValue | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}

/** The newest time of what was added to a JSON list of suppressions; null if nothing dated was. */
function newestAdded(before: ColumnValue, after: ColumnValue): string | null {
  const known = new Set(suppressionsIn(before).map((one) => JSON.stringify(one)));
  return suppressionsIn(after)
    .filter((one) => !known.has(JSON.stringify(one)))
    .reduce<string | null>(
      (newest, { timestamp }) =>
        timestamp !== null && (newest === null || timestamp > newest) ? timestamp : newest,
      null,
    );
}

function suppressionsIn(json: ColumnValue): { readonly timestamp: string | null }[] {
  return typeof json === 'string' ? (JSON.parse(json) as { timestamp: string | null }[]) : [];
}
