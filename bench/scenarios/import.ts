import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openSource } from '../../src/importers/index.js';
import { openLedger, storeIntents } from '../../src/ledger/index.js';
import { MIGRATION_SETTINGS } from '../../test/support/settings.js';
import { MemorySampler, peakOf } from '../measure/memory.js';
import { readServerFacts } from '../measure/server-facts.js';
import { timed } from '../measure/stopwatch.js';
import { figuresOf, WriteMeter } from '../measure/wal.js';
import type { Measured, RunOptions, Scenario } from '../scenario.js';
import { withDatabase } from '../stack/database.js';
import { HOW_TO_READ, writePeople } from '../stack/people.js';

export const importing: Scenario = {
  name: 'import',
  line: 'reading a CSV file and storing its rows in the ledger, without anything after it',
  rows: 1_000_000,
  floors: [{ figure: 'rowsPerSecond', is: 'at least', limit: 60_000 }],
  run,
};

function run({ rows, note }: RunOptions): Promise<Measured> {
  return withDatabase(async (url, folder) => {
    const servers = await readServerFacts(url, null);
    const file = join(folder, 'people.csv');
    await writePeople(file, rows);
    const ledger = await openLedger(url);
    note('reading and storing');
    const meter = await WriteMeter.begin(url);
    const memory = new MemorySampler(process.pid);
    let ms: number;
    let hashMs: number;
    try {
      const source = await openSource(file, HOW_TO_READ);
      let sourceSha256: string;
      [hashMs, sourceSha256] = await timed(() => source.sha256());
      let stored: number;
      [ms, stored] = await timed(() =>
        storeIntents(
          ledger,
          {
            id: 'bench',
            accountId: 'Bench1',
            sourceName: source.name,
            sourceSha256,
            preset: source.preset,
            settings: MIGRATION_SETTINGS,
            requestHash: 'bench',
            share: 1,
            retryOf: null,
            program: null,
          },
          source.intents,
        ),
      );
      await source.close();
      if (stored !== rows) throw new Error(`${stored} rows were stored`);
    } finally {
      await memory.stop();
      await ledger.close();
    }
    return {
      servers,
      figures: {
        seconds: ms / 1_000,
        rowsPerSecond: (rows * 1_000) / ms,
        // Before a migration is stored, its source is read once for its hash.
        hashSeconds: hashMs / 1_000,
        sourceBytes: (await stat(file)).size,
        ...figuresOf(await meter.end(), rows),
        memoryPeakMegabytes: peakOf(await memory.stop()),
      },
    };
  });
}
