import { tlsRemedy } from './tls.js';
import { SourceError } from '../source-error.js';
import type { DatabaseUrl } from './database-url.js';

/** No connection was made. `refused`: the server answered, but does not accept this user. */
export function notConnected(database: DatabaseUrl, refused: boolean, error: unknown): SourceError {
  const file = database.shown;
  const words = driverWords(database, error);
  return refused
    ? new SourceError(
        'database_refused',
        { file },
        `The server refused this user: ${words}.`,
        'Check user, password and database name of the URL.',
      )
    : new SourceError(
        'database_unreachable',
        { file },
        `No connection could be made: ${words}.`,
        tlsRemedy(error, database.kind) ??
          'Check host and port of the URL, that the server is running, and that it can be reached from here.',
      );
}

/** @param rows rows that were read before the connection was lost */
export function connectionLost(database: DatabaseUrl, rows: number, error: unknown): SourceError {
  if (isTooLong(error)) return valueTooLong(database, rows);
  return new SourceError(
    'database_lost',
    { file: database.shown, row: rows + 1 },
    `The connection was lost here: ${driverWords(database, error)}.`,
    'Nothing was started; run it again.',
  );
}

/** @param code SQLSTATE or the server's own */
export function queryFailed(
  database: DatabaseUrl,
  code: string,
  readOnly: boolean,
  error: unknown,
  line: number | null = null,
): SourceError {
  const where = line === null ? '' : `, line ${line} of the query`;
  return new SourceError(
    'query_failed',
    { file: database.shown },
    `The query failed: ${driverWords(database, error)} (${code}${where}).`,
    readOnly
      ? 'It runs in a read-only transaction: give a SELECT that only reads.'
      : 'Try it with the database’s own client, as the same user, until it runs.',
  );
}

/** JavaScript cannot hold a text of half a gigabyte. */
function isTooLong(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG';
}

function valueTooLong(database: DatabaseUrl, rows: number): SourceError {
  return new SourceError(
    'record_too_long',
    { file: database.shown, row: rows + 1 },
    'Here, or soon after, a value is larger than 500 MB.',
    'Leave its column out of the query, or select only its beginning: left(column, 100).',
  );
}

export function withoutColumns(database: DatabaseUrl): SourceError {
  return new SourceError(
    'query_without_columns',
    { file: database.shown },
    'The query returns no columns.',
    'Give one SELECT with the columns of a preset, such as email, email_consent and email_consented_at.',
  );
}

/** The driver's message on one line, without the password. */
function driverWords(database: DatabaseUrl, error: unknown): string {
  const words = messages(error).replace(/\s+/g, ' ').replace(/\.$/, '');
  const { password, user, database: name } = database;
  return password === '' || password === user || password === name
    ? words
    : words.replaceAll(password, '***');
}

/** Node joins failed attempts at several addresses into one error without a message. */
function messages(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messages).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
