import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { openQuery } from '../../src/importers/open-source.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { OPTIONS } from '../support/sources.js';
import { settled, testsOf, type Server } from './query-tests.js';

describe('a query on PostgreSQL', () => {
  let database: TestDatabase;
  let url = '';
  before(async () => {
    database = await createTestDatabase();
    url = database.url;
  });
  after(() => database.drop());

  async function ask<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }
  const ours = `from pg_stat_activity where application_name = 'consentry import' and datname = current_database()`;

  const server: Server = {
    url: () => url,
    execute: async (...statements) => {
      for (const statement of statements) await ask(statement);
    },
    people: [
      `create table people (id int, email text, email_consent boolean, email_consented_at timestamptz, joined timestamp)`,
      `insert into people values
        (1, 'ADA@example.com', true, '2021-03-04 07:06:07+02', '2021-03-04 05:06:07.25'),
        (2, 'bob@example.com', false, null, null),
        (3, null, null, null, null)`,
    ],
    many: (count) =>
      `select 'person-' || i || '@example.com' as email, 'yes' as email_consent, now() - interval '20 years' as email_consented_at from generate_series(1, ${count}) i`,
    endImports: async () => {
      await ask(`select pg_terminate_backend(pid) ${ours}`);
    },
    imports: async () =>
      (await ask<{ n: number }>(`select count(*)::int as n ${ours}`))[0]?.n ?? -1,
  };

  testsOf(server);

  it('names the line of the query in which the mistake is', async () => {
    const sql = 'select email,\n  nothing_like_it\nfrom people';
    await assert.rejects(openQuery(url, sql, OPTIONS), /line 2 of the query/);
  });

  it('refuses a statement that has no result', async () => {
    await assert.rejects(openQuery(url, `set statement_timeout = 0`, OPTIONS), {
      code: 'query_without_columns',
    });
  });

  // The server builds it and we keep its bytes: a second or two, and two gigabytes for a moment.
  it('refuses a value that no text can hold', async () => {
    const sql = `select 'ada@example.com' as email, repeat('x', 540000000) as email_consent`;
    await assert.rejects(openQuery(url, sql, OPTIONS), {
      code: 'record_too_long',
      row: 1,
      message: /larger than 500 MB.*left\(column, 100\)/,
    });
    assert.equal(await settled(server, 0), 0);
  });

  it('changes nothing through a function either', async () => {
    await ask(
      `create function take_all() returns text language sql as 'delete from people returning email'`,
    );
    await assert.rejects(openQuery(url, 'select take_all() as email', OPTIONS), /read-only/);
    assert.equal((await ask('select from people')).length, 3);
  });
});
