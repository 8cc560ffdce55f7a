import { cellText } from '../values/cell-text.js';
import { ConsentDates } from '../values/consent-date.js';
import { compileDateFormat } from '../values/date-format.js';
import { readEmail } from '../values/email.js';
import { countryCode, readPhone } from '../values/phone.js';
import type { Sample } from '../sample.js';

/** What the first rows of a source show about one column. */
export interface ColumnFacts {
  readonly name: string;
  /** Values that are not blank. */
  readonly values: readonly string[];
  /** Distinct values in lower case, the most frequent first. */
  readonly words: readonly string[];
  /** Date formats that read every value; null is ISO 8601. Empty if the column has no dates. */
  readonly dateFormats: readonly (string | null)[];
}

/** Each answer of the wizard asks for the facts of the same sample again. */
const known = new WeakMap<Sample, readonly ColumnFacts[]>();

export function columnFacts(sample: Sample): readonly ColumnFacts[] {
  const facts = known.get(sample) ?? factsOf(sample);
  known.set(sample, facts);
  return facts;
}

function factsOf(sample: Sample): readonly ColumnFacts[] {
  return sample.columns.map((name, index) => {
    const values = sample.rows
      .map((row) => cellText(row[index] ?? ''))
      .filter((value) => value !== '');
    return { name, values, words: wordsOf(values), dateFormats: dateFormatsOf(values) };
  });
}

function wordsOf(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) {
    const word = value.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
}

/** The share of values that are e-mail addresses, phone numbers or country codes, 0 to 1. */
export function shareOf(kind: 'email' | 'phone' | 'country', { values }: ColumnFacts): number {
  if (values.length === 0) return 0;
  return values.filter((value) => IS[kind](value)).length / values.length;
}

const IS: Readonly<Record<'email' | 'phone' | 'country', (value: string) => boolean>> = {
  email: (value) => readEmail(value).kind === 'valid',
  phone: (value) => isInternational(value) || isNational(value),
  country: (value) => countryCode(value) !== null,
};

function isInternational(value: string): boolean {
  return value.startsWith('+') && readPhone(value, '', null).kind !== 'refused';
}

/** A number that cannot be read without its country. */
export function isNational(value: string): boolean {
  const reading = readPhone(value, '', null);
  const digits = value.replace(/\D/g, '').length;
  return reading.kind === 'refused' && reading.reason === 'phone_country_unknown' && digits > 6;
}

const DAYS = [
  'yyyy-M-d',
  'yyyy/M/d',
  'd.M.yyyy',
  'M/d/yyyy',
  'd/M/yyyy',
  'd-M-yyyy',
  'M-d-yyyy',
  'd MMM yyyy',
  'd MMMM yyyy',
  'MMM d, yyyy',
  'MMMM d, yyyy',
];
const TIMES = [
  '',
  ' H:mm',
  ' H:mm:ss',
  ', H:mm',
  ' h:mm a',
  ' h:mm:ss a',
  ', h:mm a',
  ' H:mm:ss ZZ',
];
const FORMATS: readonly (string | null)[] = [
  null,
  ...DAYS.flatMap((day) => TIMES.map((time) => day + time)),
];

/** Far enough that no date counts as a future one; the import itself refuses those. */
const ANY_TIME = new Date(Date.UTC(9_999, 0, 1));

function dateFormatsOf(values: readonly string[]): (string | null)[] {
  if (values.length === 0) return [];
  const unix = unixFormat(values);
  if (unix !== null) return [unix];
  const fitting = formatReaders().filter(([, dates]) =>
    values.every((value) => dates.read(value).kind === 'valid'),
  );
  const formats = fitting.map(([format]) => format);
  return formats.includes(null) ? [null] : formats;
}

let readers: readonly (readonly [string | null, ConsentDates])[] | null = null;

/** Compiled once: to compile all of them takes longer than to try them on a column. */
function formatReaders(): NonNullable<typeof readers> {
  readers ??= FORMATS.map((format) => [format, datesIn(format, 'utc')]);
  return readers;
}

export function datesIn(format: string | null, timezone: string | null): ConsentDates {
  return format === null
    ? new ConsentDates(timezone, ANY_TIME)
    : new ConsentDates(timezone, ANY_TIME, compileDateFormat(format));
}

/** Seconds or milliseconds of the years 2000 to 2100, if every value is such a number. */
function unixFormat(values: readonly string[]): 'unix' | 'unix_ms' | null {
  const within = (unit: number): boolean =>
    values.every((value) => {
      const time = /^\d{9,13}$/.test(value) ? Number(value) * unit : NaN;
      return time >= Date.UTC(2000, 0, 1) && time < Date.UTC(2100, 0, 1);
    });
  if (within(1_000)) return 'unix';
  return within(1) ? 'unix_ms' : null;
}
