import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../src/demo/stack.js';
import { changedSince, openSource, type ImportedSource } from '../../src/importers/index.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import { MemorySampler, peakOf } from '../measure/memory.js';
import { timed } from '../measure/stopwatch.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { addressOf, HOW_TO_READ } from '../stack/people.js';

export const since: Scenario = {
  name: 'since',
  line: 'comparing two exports of which one row in a hundred differs, without storing anything',
  rows: 1_000_000,
  floors: [
    { figure: 'timesReading', is: 'at most', limit: 2 },
    { figure: 'memoryPeakMegabytes', is: 'at most', limit: 500 },
  ],
  run,
};

async function run({ rows, note }: RunOptions): Promise<Measured> {
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals();
  const memory = new MemorySampler(process.pid);
  try {
    const folder = await temporaryFolder(lifecycle);
    const [olderFile, newerFile] = [join(folder, 'older.csv'), join(folder, 'newer.csv')];
    await writeExport(olderFile, rows, false);
    await writeExport(newerFile, rows, true);
    const older = await openSource(olderFile, HOW_TO_READ);
    const newer = await openSource(newerFile, HOW_TO_READ);
    note('reading both');
    const [readMs] = await timed(async () => (await rowsOf(older)) + (await rowsOf(newer)));
    note('comparing them');
    const [compareMs, { changes, intents }] = await timed(() =>
      changedSince(newer, older, { before: HOW_TO_READ.now }),
    );
    const [changedMs, changed] = await timed(() => rowsOf({ intents }));
    const expected = Math.ceil(rows / 100);
    if (changed !== expected || changes.changed !== expected) {
      throw new Error(`${changed} rows changed, not ${expected}`);
    }
    await older.close();
    await newer.close();
    return {
      servers: null,
      figures: {
        readSeconds: readMs / 1_000,
        compareSeconds: compareMs / 1_000,
        // A part of storing them.
        changedRowsSeconds: changedMs / 1_000,
        timesReading: compareMs / readMs,
        sourceBytes: (await stat(newerFile)).size,
        memoryPeakMegabytes: peakOf(await memory.stop()),
      },
    };
  } finally {
    await memory.stop();
    await lifecycle.stop();
  }
}

async function rowsOf({ intents }: Pick<ImportedSource, 'intents'>): Promise<number> {
  let rows = 0;
  for await (const batch of intents) rows += batch.length;
  return rows;
}

/** People who consented to e-mail; in the newer export, every hundredth has left. */
async function writeExport(path: string, rows: number, isNewer: boolean): Promise<void> {
  const out = createWriteStream(path);
  out.write('email,email_consent,email_consented_at\n');
  for (let n = 0; n < rows; n += 1) {
    const consent = isNewer && n % 100 === 0 ? 'unsubscribed' : 'subscribed';
    const line = `${addressOf(n)},${consent},2021-03-04T05:06:07Z\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
