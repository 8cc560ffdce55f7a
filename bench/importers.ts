/**
 * Rows a second and peak memory of the importer on a made-up Mailchimp export.
 *
 *     node --import tsx bench/importers.ts [rows, default 1,000,000]
 *
 * Each reading is a process of its own, so that its peak is its own.
 */
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import type { ConsentChannel } from '../src/contracts/channels.js';
import { generateExport } from '../src/demo/export.js';
import { openSource } from '../src/importers/index.js';

interface Measurement {
  readonly rows: number;
  readonly phones: number;
  readonly seconds: number;
  readonly peakMb: number;
}

const [first, second] = process.argv.slice(2);
if (first === '--measure' && second !== undefined) {
  const channels = (process.argv[4] ?? 'email').split('+') as ConsentChannel[];
  process.stdout.write(JSON.stringify(await measure(second, channels, process.argv[5] ?? 'UTC')));
} else {
  await compare(Number(first ?? 1_000_000));
}

async function compare(rows: number): Promise<void> {
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError('rows must be an integer from 1');
  const folder = mkdtempSync(join(tmpdir(), 'consentry-bench-'));
  try {
    const small = join(folder, 'small.csv');
    const large = join(folder, 'large.csv');
    const tenth = Math.ceil(rows / 10);
    await pipeline(generateExport({ rows: tenth }).csv, createWriteStream(small));
    await pipeline(generateExport({ rows }).csv, createWriteStream(large));
    const table = new Table({
      head: ['file', 'channels', 'dates in', 'rows', 'phones', 'seconds', 'rows/s', 'peak RSS MB'],
      style: { head: [], border: [] },
    });
    const cases: [string, string, string][] = [
      [small, 'email', 'UTC'],
      [large, 'email', 'UTC'],
      [large, 'email', 'America/New_York'],
      [small, 'email+sms', 'UTC'],
      [large, 'email+sms', 'UTC'],
    ];
    for (const [file, channels, timezone] of cases) {
      const { rows: read, phones, seconds, peakMb } = inProcess(file, channels, timezone);
      table.push([
        `${(statSync(file).size / 1e6).toFixed(0)} MB`,
        channels,
        timezone,
        read.toLocaleString('en'),
        phones.toLocaleString('en'),
        seconds.toFixed(1),
        Math.round(read / seconds).toLocaleString('en'),
        peakMb.toFixed(0),
      ]);
    }
    const [cpu] = cpus();
    console.log(`${table.toString()}\nNode ${process.version}, ${cpu?.model ?? 'unknown CPU'}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inProcess(file: string, channels: string, timezone: string): Measurement {
  const script = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, script, '--measure', file, channels, timezone];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measurement;
}

async function measure(
  file: string,
  channels: readonly ConsentChannel[],
  timezone: string,
): Promise<Measurement> {
  const began = performance.now();
  const source = await openSource(file, {
    channels,
    country: null,
    timezone,
    undated: 'list_only',
    preset: null,
    now: new Date('2026-01-01T00:00:00Z'),
  });
  let rows = 0;
  let phones = 0;
  for await (const batch of source.intents) {
    rows += batch.length;
    for (const { phoneNumber } of batch) if (phoneNumber !== null) phones += 1;
  }
  const seconds = (performance.now() - began) / 1_000;
  return { rows, phones, seconds, peakMb: process.resourceUsage().maxRSS / 1_024 };
}
