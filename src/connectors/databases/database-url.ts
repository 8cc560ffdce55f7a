import { SourceError } from '../source-error.js';

/** Where a query runs. Only `password` and `url` contain the password. */
export interface DatabaseUrl {
  readonly kind: 'postgres' | 'mysql';
  /** As given. */
  readonly url: string;
  /** For messages and the ledger: without password and parameters. */
  readonly shown: string;
  readonly host: string;
  readonly port: number | null;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const KINDS: Readonly<Record<string, DatabaseUrl['kind']>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
};

/** Whether a location is meant to be a database, even if its URL is not valid. */
export function isDatabaseUrl(location: string): boolean {
  return /^(postgres|postgresql|mysql|mariadb):/i.test(location);
}

/** Throws `SourceError`; its message shows no part of an invalid URL. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const kind = KINDS[/^[a-z]+:/i.exec(text)?.[0].toLowerCase() ?? ''];
  const url = readUrl(text);
  if (kind === undefined || url === null) throw unreadable();
  const user = decoded(url.username);
  const password = decoded(url.password) || (url.searchParams.get('password') ?? '');
  const database = decoded(url.pathname.slice(1));
  const host = decoded(url.hostname);
  const at = [user, host].filter((part) => part !== '').join('@');
  const shown = `${url.protocol}//${at}${url.port === '' ? '' : `:${url.port}`}/${database}`;
  if (database === '') {
    throw new SourceError(
      'database_url_invalid',
      { file: shown },
      'The URL names no database.',
      `Put its name at the end: ${shown}shop.`,
    );
  }
  return {
    kind,
    url: text,
    shown,
    host,
    port: url.port === '' ? null : Number(url.port),
    user,
    password,
    database,
    parameters: new Map(url.searchParams),
  };
}

function readUrl(text: string): URL | null {
  try {
    const url = new URL(text);
    return text.slice(url.protocol.length).startsWith('//') ? url : null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw unreadable();
    throw error;
  }
}

function unreadable(): SourceError {
  return new SourceError(
    'database_url_invalid',
    { file: 'The database URL' },
    'It is not a valid URL (not shown here, since it may contain a password).',
    'Write it as postgres://user:password@host:5432/database or mysql://user:password@host:3306/database, with special characters of the password percent-encoded (@ is %40, # is %23, / is %2F, % is %25).',
  );
}
