import pg from 'pg';
import type { DatabaseUrl } from '../../connectors/databases/database-url.js';
import { notConnected } from '../../connectors/databases/database-errors.js';
import { tlsRemedy } from '../../connectors/databases/tls.js';
import { DestinationError } from '../destination.js';

/**
 * What passes by itself: a lost connection (08), a transaction that another one stood in the way of
 * (40, 55P03), a full disk or too many connections (53), a server that stops, starts or is asked to
 * end a session (57), one that has become a standby (25006), and its disk's errors (58).
 */
const PASSING = /^(08|40|53|57|58|55P03|25006)/;

/** A statement failed, or its connection. */
export function statementFailed({ shown }: DatabaseUrl, error: unknown): DestinationError {
  if (!(error instanceof pg.DatabaseError)) {
    return new DestinationError(
      `${shown}: the connection was lost: ${wordsOf(error)}. Nothing is half written; it is tried again.`,
      true,
      { cause: error },
    );
  }
  const state = error.code ?? '';
  const words = isImpersonal(state) ? `${oneLine(error.message)} (${state})` : state;
  return new DestinationError(
    `${shown}: the server did not do it: ${words}. ${remedyOf(state)}`,
    PASSING.test(state),
  );
}

/**
 * Whether the server's message names no value. Of a constraint it has the name, and the values only in
 * the detail; of what cannot be converted (22), or what a trigger raises (P0), it may have any.
 */
function isImpersonal(state: string): boolean {
  return PASSING.test(state) || /^(23|42)/.test(state);
}

function remedyOf(state: string): string {
  if (state === '53100') return 'Nothing is half written. Make room on its disk.';
  if (PASSING.test(state)) return 'Nothing is half written; it is tried again.';
  if (state.startsWith('23')) {
    return 'Remove the constraint or the trigger from the table: all that Klaviyo has must fit.';
  }
  if (/^42(P01|703|804)/.test(state)) {
    return 'The tables were altered since they were checked: run the sync again to see how.';
  }
  if (state === '42501') return 'Grant the right to the user of the URL.';
  return 'Nothing is half written. Look at the tables, their triggers and the server’s log.';
}

/** No connection could be made, in the words that a source has for it. */
export function connectFailed(database: DatabaseUrl, error: unknown): DestinationError {
  const state = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isPasswordMissing = error instanceof Error && error.message.startsWith('SASL');
  // Class 28 is a refused user, 3D an unknown database, 42501 one without the right to connect.
  const isRefused = /^(28|3D|42501)/.test(state) || isPasswordMissing;
  const { message } = notConnected(database, isRefused, error);
  return new DestinationError(message, !isRefused && tlsRemedy(error) === null);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? oneLine(error.message) : String(error);
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/\.$/, '');
}
