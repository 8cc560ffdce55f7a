import { sql } from 'kysely';
import type { Intent } from '../../src/contracts/intents.js';
import type { SegmentDefinition } from '../../src/contracts/segments.js';
import { noteAccount, openLedger, storeSegmentRun, type Ledger } from '../../src/ledger/index.js';
import { newId } from '../../src/starter/ids.js';
import type { Scenario } from '../scenario.js';
import { readServerFacts } from '../measure/server-facts.js';
import { withDatabase } from '../stack/database.js';

/** Of so many members, one leaves and another one comes from run to run. */
const CHANGES_ONE_IN = 100;

const ACCOUNT = 'BENCH1';

const DEFINITION: SegmentDefinition = {
  accountId: ACCOUNT,
  program: 'vip',
  hash: 'same',
  channels: ['email'],
  listId: 'LIST',
  askAgainDays: 30,
  key: 'member_id',
  leave: { does: 'unsubscribe', after: { runs: 1 } },
  brakes: { enter: { share: 1, people: 1e9 }, leave: { share: 1, people: 1e9 } },
};

export const segment: Scenario = {
  name: 'segment',
  line: 'who enters and leaves a segment: reading its people and the difference, in PostgreSQL alone',
  rows: 1_000_000,
  floors: [{ figure: 'secondsOfADifference', is: 'at most', limit: 30 }],
  run: ({ rows, note }) =>
    withDatabase(async (url) => {
      const ledger = await openLedger(url);
      await noteAccount(ledger.db, ACCOUNT);
      const changes = Math.ceil(rows / CHANGES_ONE_IN);
      note(`${rows} people enter`);
      const first = await compared(ledger, 0, rows);
      note('everybody is confirmed');
      await confirm(ledger, first.id);
      note('the run is taken over');
      const unchanged = await compared(ledger, 0, rows);
      note(`${changes} leave, and as many enter`);
      const second = await compared(ledger, changes, rows);
      if (second.rows !== 2 * changes) throw new Error(`${second.rows} rows, not ${2 * changes}`);
      await ledger.close();
      return {
        servers: await readServerFacts(url, null),
        figures: {
          secondsOfTheFirst: first.seconds,
          secondsOfTakingOver: unchanged.seconds,
          secondsOfADifference: second.seconds,
          rowsOfADifference: second.rows,
        },
      };
    }),
};

async function compared(ledger: Ledger, from: number, count: number) {
  const id = newId();
  const began = performance.now();
  const { rows } = await storeSegmentRun(
    ledger,
    DEFINITION,
    {
      id,
      accountId: ACCOUNT,
      sourceName: 'vip',
      sourceSha256: id,
      preset: 'generic',
      settings: SETTINGS,
      requestHash: id,
      share: 1,
      retryOf: null,
      program: DEFINITION.program,
    },
    people(from, count),
    { dryRun: false, approved: 'anything', runId: null, after: null },
  );
  return { id, rows, seconds: (performance.now() - began) / 1_000 };
}

const SETTINGS = { customSource: 'bench', historicalImport: false } as never;

async function* people(from: number, count: number): AsyncGenerator<Intent[]> {
  for (let at = 0; at < count; at += 1_000) {
    yield Array.from({ length: Math.min(1_000, count - at) }, (_, n): Intent => {
      const who = from + at + n;
      return {
        line: at + n + 2,
        email: `p${who}@shop.example`,
        phoneNumber: null,
        country: null,
        rawEmail: null,
        rawPhone: null,
        key: String(who),
        parts: [
          {
            channel: 'email',
            operation: 'subscribe',
            consentedAt: null,
            rejected: null,
            note: null,
          },
        ],
      };
    });
    await Promise.resolve();
  }
}

/** As a run that proved everybody's consent. */
async function confirm({ db }: Ledger, id: string): Promise<void> {
  await sql`
    insert into consentry.settlement (migration_number, row_number, channel, outcome, settled_by, settled_at)
    select i.migration_number, i.row_number, 'email', 'confirmed', 'events', now()
    from consentry.intent i join consentry.migration m on m.number = i.migration_number
    where m.id = ${id}`.execute(db);
  await sql`update consentry.run set finished_at = now() where id = ${id}`.execute(db);
  await sql`update consentry.migration set phase = 'done' where id = ${id}`.execute(db);
  await sql`analyze consentry.settlement`.execute(db);
}
