/** What the benchmarks say about their database, with a real one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { readServerFacts } from '../../bench/measure/server-facts.js';
import { WriteMeter } from '../../bench/measure/wal.js';
import { withDatabase } from '../../bench/stack/database.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';

describe('the database of a benchmark', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const execute = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(sql);
    await client.end();
  };

  it('is refused if a commit could be lost, as with the server of the tests', async () => {
    await assert.rejects(
      readServerFacts(database.url, null),
      /without full durability: fsync, synchronous_commit, full_page_writes/,
    );
  });

  it('has every commit on disk', { timeout: 60_000 }, async () => {
    const { postgresql, temporal } = await withDatabase((url) => readServerFacts(url, null));
    assert.equal(postgresql.settings['fsync'], 'on');
    assert.equal(postgresql.settings['synchronous_commit'], 'on');
    assert.match(postgresql.version, /^\d+/);
    assert.equal(temporal, null);
  });

  it('counts WAL, sizes, and updates that touch no index, in every table of the schema', async () => {
    await execute(`create schema consentry;
      create table consentry.one (id integer primary key, text text) with (fillfactor = 50);
      create table consentry.two (id integer primary key, text text);
      create table public.elsewhere (id integer primary key, text text);
      insert into consentry.one select n, 'a' from generate_series(1, 100) n;
      insert into consentry.two select n, 'a' from generate_series(1, 100) n;
      insert into public.elsewhere select n, 'a' from generate_series(1, 100) n`);
    const meter = await WriteMeter.begin(database.url);
    // A row stays in its page; a new key needs a new entry in the index.
    await execute(`update consentry.one set text = 'b'; update public.elsewhere set text = 'b'`);
    await execute('update consentry.two set id = id + 1000 where id <= 50');
    const written = await meter.end();
    assert.equal(written.updates, 150);
    assert.equal(written.hotShare, 100 / 150);
    assert.ok(written.walBytes > 10_000, String(written.walBytes));
    assert.ok(written.tableBytes >= 2 * 8_192 && written.indexBytes >= 2 * 8_192);
  });
});
