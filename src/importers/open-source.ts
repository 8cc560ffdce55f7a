import { basename } from 'node:path';
import type { Intent } from '../contracts/intents.js';
import { isDatabaseUrl, parseDatabaseUrl } from '../connectors/databases/database-url.js';
import type { Encoding } from '../connectors/files/encodings.js';
import { openFile, openFileTable, type OpenFile } from '../connectors/files/file-table.js';
import type { Header } from '../connectors/header.js';
import { archiveSource, optOutsFirst } from './archive-source.js';
import { Continuation } from './continuation.js';
import { mappingPreset } from './mapping/mapping-preset.js';
import type { ImportedSource } from './imported-source.js';
import { checkOptions, type ImportOptions } from './options.js';
import { recognise } from './presets/index.js';
import type { Preset, RowClaim, RowReader } from './presets/preset.js';
import { openQueryTable } from '../connectors/databases/query-table.js';
import { RowIntents } from './row-intent.js';
import { SourceError } from '../connectors/source-error.js';
import { cellText } from './values/cell-text.js';
import type { Table, TableRow } from '../connectors/table.js';

const BATCH_ROWS = 1_000;

/** By this column, which says which run it undoes, an undo file is recognised. */
export const UNDO_COLUMN = 'undo_of';

/**
 * Opens a source of consent and recognises its preset. A source is a CSV, TSV or semicolon file or
 * a file with one JSON object per line, each optionally compressed with gzip; a zip archive of such
 * files; or, with a query, a database.
 *
 * @param location path of a file, or a `postgres://` or `mysql://` URL
 * @param query one SQL SELECT, if the location is a database
 * @throws SourceError
 */
export async function openSource(
  location: string,
  options: ImportOptions,
  query: string | null = null,
): Promise<ImportedSource> {
  if (isDatabaseUrl(location)) return openQuery(location, needQuery(query), options);
  checkOptions(location, options);
  if (query !== null) throw queryOfFile(location);
  const { encoding = null } = options;
  const file = await openFile(location, { encoding, order: optOutsFirst });
  return orClosed(file, () => fileSource(location, file, options));
}

async function fileSource(
  path: string,
  file: OpenFile,
  options: ImportOptions,
): Promise<ImportedSource> {
  const [table, ...others] = file.tables;
  if (table === undefined || others.length > 0) {
    const source = await archiveSource(path, file, (each) =>
      importedSource(each, basename(path), options),
    );
    return { ...source, notices: [...ignoredWords(path, file), ...source.notices] };
  }
  const source = await importedSource(table, basename(path), options);
  return { ...source, notices: [...ignoredWords(path, file), ...source.notices] };
}

function ignoredWords(path: string, { ignored }: OpenFile): readonly string[] {
  return ignored.length === 0 ? [] : [`Not read in ${path}: ${shortened(ignored)}.`];
}

const SHOWN = 10;

function shortened(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * The result of an SQL query as a source.
 *
 * @param url `postgres://user:password@host:5432/database`, or `mysql://` for MySQL and MariaDB
 * @throws SourceError; its message never shows the password
 */
export async function openQuery(
  url: string,
  sql: string,
  options: ImportOptions,
): Promise<ImportedSource> {
  checkOptions(parseDatabaseUrl(url).shown, options);
  const table = await openQueryTable(url, sql);
  return orClosed(table, () => importedSource(table, table.header.file, options));
}

async function orClosed<T>(table: Pick<Table, 'close'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await table.close();
    throw error;
  }
}

/** The rows of a source, not yet read by a preset. Throws `SourceError`. */
export async function openTable(
  location: string,
  query: string | null,
  encoding: Encoding | null = null,
): Promise<Table> {
  if (isDatabaseUrl(location)) return openQueryTable(location, needQuery(query));
  if (query === null) return openFileTable(location, { encoding });
  throw queryOfFile(location);
}

function queryOfFile(location: string): SourceError {
  return new SourceError(
    'query_without_database',
    { file: location },
    'A query needs a database, but this is a file.',
    'Give a URL such as postgres://user@host:5432/database, or leave --query out.',
  );
}

function needQuery(query: string | null): string {
  if (query !== null && query.trim() !== '') return query;
  throw new SourceError(
    'query_missing',
    { file: 'The database' },
    'A database needs a query that selects the people to read.',
    'Give one with --query, e.g. --query "select email, email_consent, email_consented_at from people".',
  );
}

export async function importedSource(
  table: Table,
  name: string,
  options: ImportOptions,
): Promise<ImportedSource> {
  const { header } = table;
  await needRow(table);
  const mapping = options.mapping ?? null;
  const preset =
    mapping === null ? recognise(header, presetOf(options)) : mappingPreset(mapping, options.now);
  refuseUselessWords(header, preset, options);
  const readRow = preset.bind(header, options);
  const key = keyColumn(header, options);
  return {
    preset: preset.name,
    name,
    columns: header.columns,
    notices: table.notices,
    isUndo: header.find(UNDO_COLUMN) !== null,
    intents: {
      [Symbol.asyncIterator]: () => readIntents(table, preset, { readRow, key }, options),
    },
    sha256: () => table.sha256(),
    close: () => table.close(),
  };
}

async function* readIntents(
  table: Table,
  preset: Preset,
  { readRow, key }: { readonly readRow: RowReader; readonly key: number | null },
  options: ImportOptions,
): AsyncGenerator<Intent[], void, undefined> {
  const rows = new RowIntents(table, options, preset.operation);
  const persons = new Continuation();
  const width = table.header.columns.length;
  const intentsOf = ({ line, fields, contradicts = false }: TableRow): Intent[] => {
    // Whom such a row is about is not clear: nobody's suppression is lifted on it.
    const isUnclear = contradicts && options.operation === 'unsuppress';
    if (fields?.length !== width || isUnclear) {
      persons.interrupted();
      return [rows.malformed(line)];
    }
    const value = key === null ? '' : cellText(fields[key] ?? '');
    const said = readRow(fields, line);
    return ('channels' in said ? [said] : said).map((row) => {
      const claim = persons.next(row);
      const intent = rows.read(line, contradicts ? doubted(claim, options) : claim);
      return value === '' ? intent : { ...intent, key: value };
    });
  };
  let batch: Intent[] = [];
  for await (const records of table.rows()) {
    for (const record of records) {
      for (const intent of intentsOf(record)) {
        batch.push(intent);
        if (batch.length < BATCH_ROWS) continue;
        yield batch;
        batch = [];
      }
    }
  }
  if (batch.length > 0) yield batch;
}

/** An attestation is for rows of which the source says nothing. */
function refuseUselessWords(header: Header, preset: Preset, options: ImportOptions): void {
  if ((options.attested ?? null) === null || preset.isAttestable === true) return;
  throw new SourceError(
    'options_conflict',
    { file: header.file },
    `--attested is of no use here: this layout (${preset.label}) says of every row who consented.`,
    preset.name === 'mapping'
      ? 'Leave it out, and say it as attested in the mapping, beside a constant.'
      : 'Leave --attested out.',
  );
}

/** A segment says who is in it by the columns of our own layout, if nothing else is said. */
function presetOf({ preset, segment = null }: ImportOptions): ImportOptions['preset'] {
  return preset ?? (segment === null ? null : 'generic');
}

function keyColumn(header: Header, { segment = null }: ImportOptions): number | null {
  if (segment === null) return null;
  return header.need(
    segment.key,
    'The program tells its people apart by this column.',
    'Select it in the query, or correct the key of the program.',
  );
}

/**
 * Nothing that such a row asks is done. Any part of it may be an opt-out, even for a channel that
 * it does not seem to mention.
 */
function doubted(claim: RowClaim, options: ImportOptions): RowClaim {
  return {
    ...claim,
    channels: options.channels.map((channel) => ({
      channel,
      ask: 'unknown',
      date: '',
      dateColumn: '',
    })),
    suppression: null,
    list: (claim.list ?? null) === null ? null : 'unknown',
  };
}

async function needRow(table: Table): Promise<void> {
  for await (const records of table.rows()) if (records.length > 0) return;
  const { counts } = table;
  const { file, line } = table.header;
  throw new SourceError(
    'file_without_rows',
    { file, line },
    counts === 'rows' ? 'The query returns no rows.' : 'The file has a header but no rows.',
    counts === 'rows'
      ? 'Check its conditions, and that this user may read the rows.'
      : 'Export it again, or check that it is the right file.',
  );
}
