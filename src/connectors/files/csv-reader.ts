import { CsvError, parse, type Parser } from 'csv-parse';
import { hasTextAfterClosingQuote } from './closing-quote.js';

/** One record; `fields` is null if its quotes are malformed. */
export interface CsvRecord {
  /** Line where the record begins, counted by line feeds; the first line is 1. */
  readonly line: number;
  readonly fields: readonly string[] | null;
  /** The record as in the file, without its line end; only if requested. */
  readonly text?: string;
}

/** Thrown if no further record can be read at all; `line` is where the problem begins. */
export class CsvUnreadable extends Error {
  constructor(
    readonly problem: 'quote_not_closed' | 'quotes_mismatched' | 'record_too_long',
    readonly line: number,
  ) {
    super(`${problem} at line ${line}`);
  }
}

/** Longest record, in bytes of its cells: bounds the memory that one forgotten quote can take. */
export const MAX_RECORD = 1_048_576;

/** Text after a malformed record is parsed again, so the parser is fed no more than this at once. */
const SLICE_BYTES = 8_192;
/** After a malformed record the next one may be malformed too: the slices grow from this again. */
const FIRST_SLICE_BYTES = 64;

/**
 * How many bytes of records whose quotes turn out not to match may be read again: without a bound, a
 * file in which every line moves the error to the end would take the square of its size.
 */
const REREAD_BYTES = 4 * 1_048_576;
/** The same, for each byte of the file. A forgotten quote is read up to the next quote, once. */
const REREAD_TIMES = 16;

const LINE_ENDS = ['\r\n', '\n'];
const FEED = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
const NOTHING = Buffer.alloc(0);

/**
 * Splits CSV text (RFC 4180), fed in pieces of any size, into records: one array for each piece and
 * one for the end. Blank lines are skipped. Throws `CsvUnreadable` after the records before it.
 *
 * A quote inside a field that did not begin with one is text. Text after a closing quote makes the
 * record malformed: only its first line is skipped, and reading goes on with the next line, so that
 * a forgotten quote does not swallow the rows after it.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  delimiter: string,
  maxRecord: number = MAX_RECORD,
  withText = false,
): AsyncGenerator<readonly CsvRecord[], void, undefined> {
  const reading = new Reading(delimiter, maxRecord, withText);
  for await (const piece of pieces) {
    const bytes = Buffer.from(piece);
    let unreadable: CsvUnreadable | null = null;
    for (let at = 0; at < bytes.length && unreadable === null; at += SLICE_BYTES) {
      unreadable = await reading.feed(bytes.subarray(at, at + SLICE_BYTES));
    }
    yield reading.takeRecords();
    if (unreadable !== null) throw unreadable;
  }
  const unreadable = await reading.end();
  yield reading.takeRecords();
  if (unreadable !== null) throw unreadable;
}

/** Thrown in csv-parse's callback to stop it within a piece. One for all: a stack takes longer than a line. */
const QUOTE_FORGOTTEN = new Error('a quote was forgotten');

/**
 * Keeps the bytes after the end of the last record: csv-parse reports the byte at which a record
 * ends, but it counts a quoted CRLF as two lines and cannot go back to the line after a bad quote.
 */
class Reading {
  #parser: Parser;
  #records: CsvRecord[] = [];
  #kept: Buffer = NOTHING;
  /** Bytes that the parser got before the first of `#kept`. */
  #before = 0;
  /** Index in `#kept` after the last record and the blank lines that follow it; and its line. */
  #at = 0;
  #line = 1;
  /** Bytes of the file so far, and of records that were read in vain. */
  #bytes = 0;
  #reread = 0;

  constructor(
    private readonly delimiter: string,
    private readonly maxRecord: number,
    private readonly withText: boolean,
  ) {
    this.#parser = this.#newParser();
  }

  takeRecords(): readonly CsvRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  async feed(piece: Buffer): Promise<CsvUnreadable | null> {
    this.#kept = Buffer.concat([this.#kept.subarray(this.#at), piece]);
    this.#before += this.#at;
    this.#at = 0;
    this.#bytes += piece.length;
    let error = await written(this.#parser, piece);
    while (error === QUOTE_FORGOTTEN) {
      if (this.#rereadsTooMuch()) return new CsvUnreadable('quotes_mismatched', this.#line);
      error = await this.#goOnWithNextLine();
    }
    if (error !== null) return this.#unreadable(error);
    this.#skipBlankLines();
    // max_record_size does not count quotes and delimiters: a line of nothing else is stopped here.
    const unfinished = this.#kept.length - this.#at;
    return unfinished > 4 * this.maxRecord
      ? new CsvUnreadable('record_too_long', this.#line)
      : null;
  }

  async end(): Promise<CsvUnreadable | null> {
    // The file is cut off between the two characters of its last line end.
    const lineEnd = this.#kept.at(-1) === RETURN ? Buffer.of(FEED) : NOTHING;
    const unreadable = await this.feed(lineEnd);
    if (unreadable !== null) return unreadable;
    let error = await ended(this.#parser);
    while (error === QUOTE_FORGOTTEN) {
      if (this.#rereadsTooMuch()) return new CsvUnreadable('quotes_mismatched', this.#line);
      error = (await this.#goOnWithNextLine()) ?? (await ended(this.#parser));
    }
    return error === null ? null : this.#unreadable(error);
  }

  #newParser(): Parser {
    const parser = parse({
      delimiter: this.delimiter,
      record_delimiter: LINE_ENDS,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: this.maxRecord,
      on_record: (fields: string[], { bytes }) => {
        this.#onRecord(fields, bytes - this.#before);
        return null;
      },
    });
    // The callbacks of write and end get the error too and handle it.
    return parser.on('error', () => undefined);
  }

  #onRecord(fields: string[], end: number): void {
    this.#skipBlankLines();
    const feed = this.#kept.indexOf(FEED, this.#at);
    const manyLines = feed !== -1 && feed + 1 < end;
    // With relax_quotes a malformed field keeps its quotes; but `"""a"""` also gives one in quotes.
    const malformed =
      fields.some((field) => field.startsWith('"')) &&
      hasTextAfterClosingQuote(this.#kept.subarray(this.#at, end), this.delimiter);
    if (malformed && manyLines) {
      this.#reread += end - this.#at;
      throw QUOTE_FORGOTTEN;
    }
    this.#push(malformed ? null : fields, end);
    this.#line += manyLines ? feeds(this.#kept.subarray(this.#at, end)) : 1;
    this.#at = end;
  }

  #rereadsTooMuch(): boolean {
    return this.#reread > REREAD_BYTES + REREAD_TIMES * this.#bytes;
  }

  async #goOnWithNextLine(): Promise<Error | null> {
    const nextLine = this.#kept.indexOf(FEED, this.#at) + 1;
    this.#push(null, nextLine);
    this.#kept = this.#kept.subarray(nextLine);
    this.#line += 1;
    this.#before = 0;
    this.#at = 0;
    this.#parser = this.#newParser();
    const kept = this.#kept;
    let size = FIRST_SLICE_BYTES;
    for (let at = 0; at < kept.length; at += size) {
      if (at > 0) size = Math.min(2 * size, SLICE_BYTES);
      const error = await written(this.#parser, kept.subarray(at, at + size));
      if (error !== null) return error;
    }
    return null;
  }

  /** `end` is the index in `#kept` after the record. */
  #push(fields: string[] | null, end: number): void {
    const record = { line: this.#line, fields };
    this.#records.push(
      this.withText ? { ...record, text: withoutLineEnd(this.#kept, this.#at, end) } : record,
    );
  }

  #skipBlankLines(): void {
    for (;;) {
      const feed = this.#kept[this.#at] === RETURN ? this.#at + 1 : this.#at;
      if (this.#kept[feed] !== FEED) return;
      this.#at = feed + 1;
      this.#line += 1;
    }
  }

  #unreadable(error: Error): CsvUnreadable {
    if (!(error instanceof CsvError)) throw error;
    if (error.code !== 'CSV_QUOTE_NOT_CLOSED' && error.code !== 'CSV_MAX_RECORD_SIZE') throw error;
    this.#skipBlankLines();
    const field = this.#unfinishedField();
    if (this.#kept[field] !== QUOTE) return new CsvUnreadable('record_too_long', this.#line);
    const line = this.#line + feeds(this.#kept.subarray(this.#at, field));
    return new CsvUnreadable('quote_not_closed', line);
  }

  /** Index in `#kept` of the field in which the parser stopped. */
  #unfinishedField(): number {
    const lastEnd = this.#parser.info.bytes - this.#before;
    const isFirst = lastEnd < this.#at || this.#kept[lastEnd] !== this.delimiter.charCodeAt(0);
    return isFirst ? this.#at : lastEnd + 1;
  }
}

function written(parser: Parser, bytes: Buffer): Promise<Error | null> {
  return new Promise((resolve) => {
    parser.write(bytes, (error) => resolve(error ?? null));
  });
}

function ended(parser: Parser): Promise<Error | null> {
  return new Promise((resolve) => {
    parser.end((error?: Error | null) => resolve(error ?? null));
  });
}

function withoutLineEnd(bytes: Buffer, start: number, end: number): string {
  let last = end;
  while (last > start && (bytes[last - 1] === RETURN || bytes[last - 1] === FEED)) last -= 1;
  return bytes.subarray(start, last).toString();
}

function feeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(FEED); at !== -1; at = bytes.indexOf(FEED, at + 1)) count += 1;
  return count;
}
