/** Stable keys; docs/errors.md says what each means. */
export const SOURCE_ERROR_CODES = [
  'file_unreadable',
  'file_empty',
  'file_without_rows',
  'file_is_archive',
  'archive_broken',
  'archive_encrypted',
  'archive_too_large',
  'archive_without_file',
  'archive_of_several',
  'source_changed',
  'gzip_broken',
  'encoding_not_utf8',
  'line_ends_unknown',
  'quote_not_closed',
  'quotes_mismatched',
  'record_too_long',
  'too_many_columns',
  'json_not_lines',
  'json_nested',
  'layout_unknown',
  'layout_ambiguous',
  'column_missing',
  'column_twice',
  'consent_column_missing',
  'status_not_told',
  'channel_not_in_source',
  'timezone_needed',
  'timezone_unknown',
  'country_unknown',
  'consent_dates_missing',
  'consented_at_invalid',
  'implicit_consent_refused',
  'options_conflict',
  'mapping_unreadable',
  'mapping_invalid',
  'mapping_exists',
  'since_not_migrated',
  'query_missing',
  'query_without_database',
  'query_failed',
  'query_without_columns',
  'database_url_invalid',
  'database_unreachable',
  'database_refused',
  'database_lost',
] as const;
export type SourceErrorCode = (typeof SOURCE_ERROR_CODES)[number];

export interface SourceErrorPlace {
  /** Path of the file, or URL of the database without its password. */
  readonly file: string;
  /** Line of the file, the first line is 1. */
  readonly line?: number | undefined;
  /** Row of a query's result, the first row is 1. */
  readonly row?: number | undefined;
  readonly column?: string | undefined;
}

/**
 * A source cannot be read, or only after the operator answers a question. A bad row is not a
 * `SourceError`: it becomes an intent with refused parts.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  /** What is wrong, as a stable key such as `column_missing`. */
  readonly code: SourceErrorCode;
  /** Path of the file, or URL of the database without its password. */
  readonly file: string;
  /** Line of the file, from 1. */
  readonly line: number | undefined;
  /** Row of a query's result, from 1. */
  readonly row: number | undefined;
  readonly column: string | undefined;
  /** What to do about it, as one or more sentences. */
  readonly remedy: string;

  constructor(code: SourceErrorCode, place: SourceErrorPlace, problem: string, remedy: string) {
    const line = place.line === undefined ? '' : `, line ${place.line}`;
    const row = place.row === undefined ? '' : `, row ${place.row}`;
    const column = place.column === undefined ? '' : `, column "${place.column}"`;
    super(`${place.file}${line}${row}${column}: ${problem} ${remedy}`);
    this.code = code;
    this.file = place.file;
    this.line = place.line;
    this.row = place.row;
    this.column = place.column;
    this.remedy = remedy;
  }
}
