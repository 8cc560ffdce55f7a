import { after, before, describe } from 'node:test';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
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
});
