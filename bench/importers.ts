/**
 * Rows per second and peak memory of the importer on a generated Mailchimp export: CSV, gzipped CSV
 * and JSON lines, and queries of PostgreSQL and, if mariadbd is installed, MariaDB.
 *
 *     npm run bench -- importers [rows, default 1,000,000]
 *
 * Each reading is a separate process with its own peak. Memory is flat if a file with ten times the
 * rows has the same peak.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import Table from 'cli-table3';
import { parse } from 'csv-parse';
import pg from 'pg';
import type { ConsentChannel } from '../src/contracts/channels.js';
import { generateExport } from '../src/demo/export.js';
import { openSource, type ImportOptions } from '../src/importers/index.js';
import { loadConfig } from '../src/runtime/config.js';
import { userFolders } from '../src/runtime/paths.js';
import { startDatabase } from '../src/runtime/local/postgres/postgres.js';
import { findMariadb, startMariadb } from '../test/connectors/mariadb.js';

interface Reading {
  readonly name: string;
  readonly location: string;
  readonly query: string | null;
  readonly channels: readonly ConsentChannel[];
  readonly timezone: string;
}

interface Measurement {
  readonly rows: number;
  readonly phones: number;
  readonly seconds: number;
  readonly peakMb: number;
}

const COLUMNS =
  'email, phone_number, email_consent, email_consented_at, sms_consent, sms_consented_at';

const [first, second] = process.argv.slice(2);
if (first === '--measure' && second !== undefined) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(second) as Reading)));
} else {
  await compare(Number(first ?? 1_000_000));
}

async function compare(rows: number): Promise<void> {
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError('rows must be an integer from 1');
  const folder = mkdtempSync(join(tmpdir(), 'consentry-bench-'));
  const table = new Table({
    head: ['source', 'channels', 'dates in', 'rows', 'phones', 'seconds', 'rows/s', 'peak RSS MB'],
    style: { head: [], border: [] },
  });
  try {
    for (const reading of await files(folder, rows)) table.push(inProcess(reading));
    await onPostgres(rows, (reading) => table.push(inProcess(reading)));
    await onMariadb(rows, (reading) => table.push(inProcess(reading)));
    const [cpu] = cpus();
    console.log(`${table.toString()}\nNode ${process.version}, ${cpu?.model ?? 'unknown CPU'}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function files(folder: string, rows: number): Promise<Reading[]> {
  const path = (name: string): string => join(folder, name);
  const tenth = Math.ceil(rows / 10);
  for (const [name, count] of [
    ['small.csv', tenth],
    ['large.csv', rows],
  ] as const) {
    await pipeline(generateExport({ rows: count }).csv, createWriteStream(path(name)));
  }
  const large = (): NodeJS.ReadableStream => createReadStream(path('large.csv'));
  await pipeline(large(), createGzip(), createWriteStream(path('large.csv.gz')));
  const parser = parse({ columns: true, relax_quotes: true, skip_records_with_error: true });
  await pipeline(large(), parser, jsonLines, createWriteStream(path('large.ndjson')));
  const reading = (name: string, channels: ConsentChannel[] = ['email'], timezone = 'UTC') => ({
    name: `${name}, ${(statSync(path(name)).size / 1e6).toFixed(0)} MB`,
    location: path(name),
    query: null,
    channels,
    timezone,
  });
  return [
    reading('small.csv'),
    reading('large.csv'),
    reading('large.csv', ['email'], 'America/New_York'),
    reading('small.csv', ['email', 'sms']),
    reading('large.csv', ['email', 'sms']),
    reading('large.csv.gz'),
    reading('large.ndjson'),
  ];
}

async function* jsonLines(records: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const record of records) yield `${JSON.stringify(record)}\n`;
}

async function onPostgres(rows: number, push: (reading: Reading) => void): Promise<void> {
  const folders = userFolders(loadConfig());
  const database = await startDatabase({ databaseUrl: null, folders, keep: false });
  try {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      `create table people as select 'person-' || i || '@example.com' as email,
         '+1201555' || lpad((100 + i % 100)::text, 4, '0') as phone_number,
         'yes' as email_consent, now() - i * interval '10 minutes' as email_consented_at,
         'yes' as sms_consent, now() - i * interval '10 minutes' as sms_consented_at
       from generate_series(1, ${rows}) i`,
    );
    await client.end();
    for (const reading of queries('PostgreSQL', database.url, rows)) push(reading);
  } finally {
    await database.stop();
  }
}

async function onMariadb(rows: number, push: (reading: Reading) => void): Promise<void> {
  const program = findMariadb();
  if (program === null) return console.log('mariadbd is not installed: MariaDB is left out.');
  const mariadb = await startMariadb(program);
  try {
    await mariadb.execute(
      `create table people as select concat('person-', seq, '@example.com') as email,
         concat('+1201555', lpad(100 + seq % 100, 4, '0')) as phone_number,
         'yes' as email_consent, timestamp('2025-12-01') - interval seq*10 minute as email_consented_at,
         'yes' as sms_consent, timestamp('2025-12-01') - interval seq*10 minute as sms_consented_at
       from seq_1_to_${rows}`,
    );
    for (const reading of queries('MariaDB', mariadb.url, rows)) push(reading);
  } finally {
    await mariadb.stop();
  }
}

function queries(name: string, location: string, rows: number): Reading[] {
  const sql = (limit: number): string => `select ${COLUMNS} from people limit ${limit}`;
  const base = { name, location, timezone: 'UTC' };
  return [
    { ...base, query: sql(Math.ceil(rows / 10)), channels: ['email'] },
    { ...base, query: sql(rows), channels: ['email'] },
    { ...base, query: sql(rows), channels: ['email', 'sms'] },
  ];
}

function inProcess(reading: Reading): string[] {
  const script = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, script, '--measure', JSON.stringify(reading)];
  const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const { rows, phones, seconds, peakMb } = JSON.parse(output) as Measurement;
  return [
    reading.name,
    reading.channels.join('+'),
    reading.timezone,
    rows.toLocaleString('en'),
    phones.toLocaleString('en'),
    seconds.toFixed(1),
    Math.round(rows / seconds).toLocaleString('en'),
    peakMb.toFixed(0),
  ];
}

async function measure({ location, query, channels, timezone }: Reading): Promise<Measurement> {
  const began = performance.now();
  const options: ImportOptions = {
    channels,
    country: null,
    timezone,
    undated: 'list_only',
    preset: null,
    now: new Date('2026-12-01T00:00:00Z'),
  };
  const source = await openSource(location, options, query);
  let rows = 0;
  let phones = 0;
  for await (const batch of source.intents) {
    rows += batch.length;
    for (const { phoneNumber } of batch) if (phoneNumber !== null) phones += 1;
  }
  await source.close();
  const seconds = (performance.now() - began) / 1_000;
  return { rows, phones, seconds, peakMb: process.resourceUsage().maxRSS / 1_024 };
}
