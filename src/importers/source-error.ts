export type SourceErrorCode =
  | 'file_unreadable'
  | 'file_empty'
  | 'file_without_rows'
  | 'encoding_not_utf8'
  | 'line_ends_unknown'
  | 'quote_not_closed'
  | 'record_too_long'
  | 'layout_unknown'
  | 'layout_refused'
  | 'column_missing'
  | 'column_twice'
  | 'consent_column_missing'
  | 'channel_not_in_source'
  | 'timezone_needed'
  | 'timezone_unknown'
  | 'country_unknown';

export interface SourceErrorPlace {
  readonly file: string;
  /** Line of the file, the header is line 1. */
  readonly line?: number | undefined;
  readonly column?: string | undefined;
}

/**
 * A source as a whole cannot be read, or not without an answer from the operator. A bad row is no
 * `SourceError`: it becomes an intent with refused parts.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly code: SourceErrorCode;
  readonly file: string;
  readonly line: number | undefined;
  readonly column: string | undefined;
  /** What to do about it, as one or more sentences. */
  readonly remedy: string;

  constructor(code: SourceErrorCode, place: SourceErrorPlace, problem: string, remedy: string) {
    const line = place.line === undefined ? '' : `, line ${place.line}`;
    const column = place.column === undefined ? '' : `, column "${place.column}"`;
    super(`${place.file}${line}${column}: ${problem} ${remedy}`);
    this.code = code;
    this.file = place.file;
    this.line = place.line;
    this.column = place.column;
    this.remedy = remedy;
  }
}
