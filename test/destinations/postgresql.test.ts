import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import pg from 'pg';
import { openDestination } from '../../src/destinations/open-destination.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { batchOf, markerAt, subscriber, TABLES } from './records.js';
import { testsOf, type TestServer } from './sql-tests.js';

describe('PostgreSQL', () => {
  let database: TestDatabase;
  let client: pg.Client;
  before(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`set timezone to 'UTC'`);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const server: TestServer = {
    url: () => database.url,
    clear: async () => {
      await client.query('drop schema public cascade; create schema public');
    },
    execute: async (...statements) => {
      for (const statement of statements) await client.query(statement);
    },
    ask: async (query) => {
      const { rows } = await client.query<(string | null)[]>({
        text: query,
        rowMode: 'array',
        types: { getTypeParser: () => (value: string) => value },
      });
      return rows;
    },
    quote: (name) => `"${name}"`,
  };

  testsOf(server);

  describe('a table that somebody else created', () => {
    beforeEach(() => server.clear());

    it('gives ids in the order of their bytes, whatever its own order is', async () => {
      const to = openDestination(database.url, TABLES);
      try {
        await to.prepare();
        await server.execute(
          'drop view klaviyo_consent_current',
          'alter table klaviyo_consent alter profile_id type text collate "und-x-icu"',
        );
        await to.prepare();
        const ids = ['01a', '01B', '01A', '01b'];
        await to.write(batchOf(ids.map((id) => subscriber(id))), markerAt(1), 0);
        assert.deepEqual(await to.idsAfter(null, 2), ['01A', '01B']);
        assert.deepEqual(await to.idsAfter('01B', 9), ['01a', '01b']);
      } finally {
        await to.close();
      }
    });
  });
});
