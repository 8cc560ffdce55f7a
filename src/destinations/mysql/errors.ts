import { notConnected } from '../../connectors/databases/database-errors.js';
import type { DatabaseUrl } from '../../connectors/databases/database-url.js';
import { isRefused, numberOf } from '../../connectors/databases/mysql.js';
import { tlsRemedy } from '../../connectors/databases/tls.js';
import { DestinationError } from '../destination.js';

/** Full disks and files that cannot be written. */
const FULL: ReadonlySet<number> = new Set([3, 1021, 1026, 1030, 1114]);

/**
 * What passes by itself besides: too many connections (1040), a transaction that another one stood in
 * the way of (1020, 1205, 1213), a commit that failed (1180), a server that only reads for now (1290,
 * 1836), a statement that was stopped (1317, 1969, 3024).
 */
const PASSING: ReadonlySet<number> = new Set([
  1020, 1040, 1180, 1205, 1213, 1290, 1317, 1836, 1969, 3024,
]);

/** A server that shuts down (1053), networks (1158 to 1161), a killed session (1927). */
const LOST: ReadonlySet<number> = new Set([1053, 1158, 1159, 1160, 1161, 1927]);

/** Denied rights, tables and columns that are not there: the message has no values. */
const DENIED: ReadonlySet<number> = new Set([1044, 1142, 1143, 1227]);
const ALTERED: ReadonlySet<number> = new Set([1054, 1136, 1146, 1364]);
/** A check, a foreign key. */
const CONSTRAINT: ReadonlySet<number> = new Set([1062, 1451, 1452, 3819, 4025]);

/** The user has not the right to a statement. */
export class DeniedError extends DestinationError {}

/** A statement failed, or its connection. */
export function statementFailed({ shown }: DatabaseUrl, error: unknown): DestinationError {
  const number = numberOf(error);
  // Numbers from 2000 to 2999 are the client's own.
  if (Number.isNaN(number) || LOST.has(number) || (number >= 2000 && number < 3000) || number < 0) {
    const words = error instanceof Error ? oneLine(error.message) : String(error);
    return new DestinationError(
      `${shown}: the connection was lost: ${words}. Nothing is half written; it is tried again.`,
      true,
    );
  }
  const symbol = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = `${symbol}, ${number}`;
  const isPassing = PASSING.has(number) || FULL.has(number);
  // Other messages repeat values, or a part of the statement.
  const isImpersonal = isPassing || DENIED.has(number) || ALTERED.has(number);
  const words =
    isImpersonal && error instanceof Error ? `${oneLine(error.message)} (${code})` : code;
  const message = `${shown}: the server did not do it: ${words}. ${remedyOf(number, isPassing)}`;
  return DENIED.has(number)
    ? new DeniedError(message, false)
    : new DestinationError(message, isPassing);
}

function remedyOf(number: number, isPassing: boolean): string {
  if (FULL.has(number)) return 'Nothing is half written. Make room on its disk.';
  if (isPassing) return 'Nothing is half written; it is tried again.';
  if (CONSTRAINT.has(number)) {
    return 'Remove the constraint or the trigger from the table: all that Klaviyo has must fit.';
  }
  if (ALTERED.has(number)) {
    return 'The tables were altered since they were checked: run the sync again to see how.';
  }
  if (DENIED.has(number)) return 'Grant the right to the user of the URL.';
  return 'Nothing is half written. Look at the tables, their triggers and the server’s log.';
}

/** No connection could be made, in the words that a source has for it. */
export function connectFailed(database: DatabaseUrl, error: unknown): DestinationError {
  const refused = isRefused(error);
  const { message } = notConnected(database, refused, error);
  return new DestinationError(message, !refused && tlsRemedy(error, 'mysql') === null);
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/\.$/, '');
}
