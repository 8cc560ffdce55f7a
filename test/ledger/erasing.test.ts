import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { assignJobs, storeConsentBefore, type Ledger } from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { send, store, openTestLedger } from '../support/ledger.js';

describe('deleting a migration', () => {
  let ledger: Ledger;
  /** The keys of their people, which are gone with the migration. */
  const numbers = new Map<string, number>();
  before(async () => {
    ledger = await openTestLedger();
    for (const id of ['erased', 'kept']) {
      const person = intent({ email: `${id}@example.com`, phoneNumber: '+12015550123' });
      await store(ledger, id, [
        person,
        intent({
          line: 3,
          email: null,
          rawEmail: id,
          parts: [part({ rejected: 'email_invalid' })],
        }),
      ]);
      await assignJobs(ledger.db, id);
      await storeConsentBefore(
        ledger.db,
        id,
        [
          {
            rowNumber: 1,
            oneProfile: true,
            parts: [{ channel: 'email', consent: 'NEVER_SUBSCRIBED', at: null }],
          },
        ],
        0,
      );
      await send(ledger.db, id, [{ rowNumber: 1, channel: 'email' }]);
      const { rows } = await sql<{ number: number }>`
        select number from consentry.migration where id = ${id}`.execute(ledger.db);
      numbers.set(id, rows[0]?.number ?? 0);
      await sql`
        insert into consentry.given_consent
          (migration_number, row_number, channel, source, sent_at, read_back_at)
        values (${rows[0]?.number}, 1, 'email', 'form', now(), now())`.execute(ledger.db);
    }
  });
  after(() => ledger.close());

  /** Rows by table of every table that says whose they are. What an account knows of opt-outs is not theirs. */
  async function rowsOf(id: string): Promise<Record<string, number>> {
    const { rows: tables } = await sql<{ name: string; key: string }>`
      select table_name as name, column_name as key from information_schema.columns
      where table_schema = 'consentry' and column_name in ('migration_id', 'migration_number')
        and table_name <> 'part' order by 1`.execute(ledger.db);
    const counts: Record<string, number> = {};
    for (const { name, key } of tables) {
      const of = key === 'migration_id' ? sql`${id}` : sql`${numbers.get(id)}`;
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from consentry.${sql.ref(name)}
        where ${sql.ref(key)} = ${of}`.execute(ledger.db);
      counts[name] = rows[0]?.n ?? 0;
    }
    return counts;
  }

  it('by hand leaves nobody behind who was in it, and everybody else', async () => {
    const before = await rowsOf('kept');
    assert.ok(
      ['intent', 'settlement', 'reading', 'consent_before', 'carried', 'submission'].every(
        (table) => (before[table] ?? 0) > 0,
      ),
      JSON.stringify(before),
    );
    assert.deepEqual(await rowsOf('erased'), before);
    await sql`delete from consentry.run where id = 'erased'`.execute(ledger.db);
    const nobody = Object.fromEntries(Object.keys(before).map((name) => [name, 0]));
    assert.deepEqual(await rowsOf('erased'), nobody);
    assert.deepEqual(await rowsOf('kept'), before);
  });
});
