/** A date as a source writes it; it may not exist in the calendar. */
export interface WrittenDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** Null if only the day is written. */
  readonly hour: number | null;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of UTC; null if it is written without a zone. */
  readonly offset: number | null;
}

/** Null for text that does not match the format. */
export type ReadDate = (text: string) => WrittenDate | null;

const MONTHS =
  'january february march april may june july august september october november december';
const MONTH_NAMES = MONTHS.split(' ');

/** The tokens of formats, with the letters that luxon, Java and CLDR use, and what each matches. */
const TOKENS: Readonly<Record<string, string>> = {
  yyyy: String.raw`(?<year>\d{4})`,
  MMMM: String.raw`(?<monthName>[a-z]+)`,
  MMM: String.raw`(?<monthName>[a-z]{3})\.?`,
  MM: String.raw`(?<month>\d\d)`,
  M: String.raw`(?<month>\d{1,2})`,
  dd: String.raw`(?<day>\d\d)`,
  d: String.raw`(?<day>\d{1,2})`,
  HH: String.raw`(?<hour>\d\d)`,
  H: String.raw`(?<hour>\d{1,2})`,
  hh: String.raw`(?<hour12>\d\d)`,
  h: String.raw`(?<hour12>\d{1,2})`,
  mm: String.raw`(?<minute>\d\d)`,
  ss: String.raw`(?<second>\d\d)(?:[.,]\d+)?`,
  a: String.raw`(?<half>[ap])\.?m\.?`,
  ZZZZ: '(?<zone>[ECMP][SD]T)',
  ZZ: String.raw`(?<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)`,
};

const TOKEN_WORDS = Object.keys(TOKENS).join(', ');

/** A format is not valid; the message says why. */
export class DateFormatError extends Error {
  override readonly name = 'DateFormatError';
}

/**
 * Compiles a format such as `dd.MM.yyyy HH:mm`: tokens as above, other characters literally,
 * letters in single quotes. `unix` and `unix_ms` are seconds and milliseconds since 1970. Month
 * names are English.
 *
 * @throws DateFormatError
 */
export function compileDateFormat(format: string): ReadDate {
  if (format === 'unix') return (text) => readUnix(text, 1_000);
  if (format === 'unix_ms') return (text) => readUnix(text, 1);
  const pattern = new RegExp(`^${patternOf(format)}$`, 'i');
  return (text) => {
    const groups = pattern.exec(text)?.groups;
    return groups === undefined ? null : writtenDate(groups);
  };
}

function patternOf(format: string): string {
  const used = new Set<string>();
  const parts = format.match(/'[^']*'|([a-z])\1*|[^a-z']+|'/gi) ?? [];
  const pattern = parts.map((part) => {
    if (part.startsWith("'")) return escaped(part.slice(1, -1));
    if (!/^[a-z]/i.test(part)) return escaped(part).replace(/\s+/g, String.raw`\s+`);
    const token = TOKENS[part];
    if (token === undefined) {
      throw new DateFormatError(
        `"${part}" in the date format "${format}" is not known: use ${TOKEN_WORDS}, unix or unix_ms, and put other letters in single quotes.`,
      );
    }
    const name = /<(\w+)>/.exec(token)?.[1]?.replace(/Name$|12$/, '') ?? part;
    if (used.has(name)) {
      throw new DateFormatError(`The date format "${format}" has the ${name} twice.`);
    }
    used.add(name);
    return token;
  });
  for (const needed of ['year', 'month', 'day']) {
    if (!used.has(needed)) {
      throw new DateFormatError(
        `The date format "${format}" has no ${needed}: write it like yyyy-MM-dd or dd.MM.yyyy HH:mm.`,
      );
    }
  }
  const twelveHours = /h/.test(format.replace(/'[^']*'/g, ''));
  if (twelveHours !== used.has('half')) {
    throw new DateFormatError(
      `The date format "${format}" needs h together with a (1:05 pm), or H without a (13:05).`,
    );
  }
  return pattern.join('');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}

function writtenDate(groups: Readonly<Record<string, string | undefined>>): WrittenDate | null {
  const month = groups['monthName'] === undefined ? groups['month'] : monthOf(groups['monthName']);
  const hour = groups['hour12'] === undefined ? groups['hour'] : hourOf(groups);
  if (month === null || hour === null) return null;
  const { zone } = groups;
  const offset = zone === undefined ? null : offsetMinutes(zone);
  if (zone !== undefined && offset === null) return null;
  return {
    year: Number(groups['year']),
    month: Number(month),
    day: Number(groups['day']),
    hour: hour === undefined ? null : Number(hour),
    minute: Number(groups['minute'] ?? 0),
    second: Number(groups['second'] ?? 0),
    offset,
  };
}

function monthOf(name: string): number | null {
  const start = name.toLowerCase();
  const index = MONTH_NAMES.findIndex((month) => month === start || month.slice(0, 3) === start);
  return index === -1 ? null : index + 1;
}

function hourOf(groups: Readonly<Record<string, string | undefined>>): number | null {
  const hour = Number(groups['hour12']);
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (groups['half']?.toLowerCase() === 'p' ? 12 : 0);
}

function readUnix(text: string, unitMs: number): WrittenDate | null {
  if (!/^-?\d{1,14}(?:\.\d+)?$/.test(text)) return null;
  const date = new Date(Math.floor(Number(text)) * unitMs);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9_999) return null;
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    offset: 0,
  };
}

/** The largest differences to UTC of any time zone, in minutes. */
const MOST_WEST = -12 * 60;
const MOST_EAST = 14 * 60;

/** Hours of the letters that RFC 5322 has for zones of North America; elsewhere some mean others. */
const LETTERS: Readonly<Record<string, number>> = {
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

/**
 * Minutes east of UTC of `Z`, `UTC`, `GMT`, `+02`, `+0200` or `+02:00`; null for an offset that no
 * time zone has.
 */
export function offsetMinutes(zone: string): number | null {
  if (/^[a-z]/i.test(zone)) return (LETTERS[zone.toUpperCase()] ?? 0) * 60;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || 0);
  const offset = (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
  return minutes > 59 || offset < MOST_WEST || offset > MOST_EAST ? null : offset;
}
