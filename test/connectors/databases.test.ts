import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { createConnection } from 'mysql2';
import { openQuery, openSource } from '../../src/importers/open-source.js';
import type { ImportOptions } from '../../src/importers/options.js';
import { SourceError, type SourceErrorCode } from '../../src/connectors/source-error.js';
import { createTestDatabase, type TestDatabase } from '../support/stack.js';
import { findMariadb, startMariadb, type TestMariadb } from './mariadb.js';
import { OPTIONS, inShort, intentsOfSource } from '../support/sources.js';

/** What the same tests need of PostgreSQL and of MySQL. */
interface Server {
  url(): string;
  execute(...statements: string[]): Promise<void>;
  /** Statements that make `people` with two rows and a row of blanks. */
  readonly people: readonly string[];
  /** A query of `count` generated people. */
  many(count: number): string;
  /** Ends the sessions of imports. */
  endImports(): Promise<void>;
  /** Sessions of imports that are open. */
  imports(): Promise<number>;
}

function testsOf(server: Server): void {
  const read = async (
    sql: string,
    options: Partial<ImportOptions> = {},
  ): Promise<(string | number | null)[][]> => {
    const source = await openQuery(server.url(), sql, { ...OPTIONS, ...options });
    const intents = await intentsOfSource(source);
    return intents.map((intent) => [intent.line, intent.email, ...inShort(intent)]);
  };

  before(() => server.execute(...server.people));

  it('reads the columns of the result as header and counts rows', async () => {
    const source = await openSource(server.url(), OPTIONS, 'select * from people order by id');
    assert.equal(source.preset, 'generic');
    assert.deepEqual(source.columns, [
      'id',
      'email',
      'email_consent',
      'email_consented_at',
      'joined',
    ]);
    assert.doesNotMatch(source.name, /s3cret/);
    assert.deepEqual(await read('select * from people order by id;'), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      [2, 'bob@example.com', 'email nothing_asked'],
      [3, null, 'email identifier_missing'],
    ]);
  });

  it('gives the same rows each time', async () => {
    const source = await openQuery(server.url(), server.many(2_500), OPTIONS);
    for (let time = 0; time < 2; time++) {
      const intents = await intentsOfSource(source);
      assert.equal(intents.length, 2_500);
      assert.equal(new Set(intents.map(({ email }) => email)).size, 2_500);
      assert.deepEqual(
        intents.map(({ line }) => line),
        Array.from({ length: 2_500 }, (_, i) => i + 1),
      );
    }
  });

  it('asks for the zone of times without one, and takes it', async () => {
    const sql = `select email, 'yes' as email_consent, joined as email_consented_at from people where id = 1`;
    await assert.rejects(read(sql, { timezone: null }), {
      code: 'timezone_needed',
      row: 1,
      column: 'email_consented_at',
    });
    assert.deepEqual(await read(sql, { timezone: 'America/New_York' }), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T10:06:07Z'],
    ]);
  });

  it('refuses a value that is longer than any line of a file', async () => {
    const sql = `select email, repeat('x', 2000000) as email_consent from people order by id`;
    await assert.rejects(read(sql), {
      code: 'record_too_long',
      row: 1,
      column: 'email_consent',
      message: /longer than a million characters/,
    });
    assert.equal(await settled(server, 0), 0);
  });

  it('takes times with a zone without asking', async () => {
    const sql = `select email, 'yes' as email_consent, email_consented_at from people where id = 1`;
    assert.deepEqual(await read(sql, { timezone: null }), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
    ]);
  });

  const refused: [string, string, SourceErrorCode, RegExp][] = [
    ['a mistake in the SQL', 'selec 1', 'query_failed', /own client/],
    ['a table that is not there', 'select email from nobody', 'query_failed', /nobody/],
    ['a change', 'delete from people', 'query_failed', /read-only.*SELECT/],
    [
      'a second statement',
      'select email, 1 as email_consent from people; commit',
      'query_failed',
      /own client/,
    ],
    [
      'a result without rows',
      'select email, email_consent from people where id > 9',
      'file_without_rows',
      /no rows/,
    ],
    ['columns of no layout', 'select id from people', 'layout_unknown', /has: id/],
  ];
  for (const [name, sql, code, says] of refused) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(read(sql), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.startsWith(error.file) && error.message.endsWith(error.remedy));
        assert.doesNotMatch(JSON.stringify(error) + error.message + error.stack, /s3cret/);
        return true;
      });
      assert.equal(await settled(server, 0), 0);
    });
  }

  const badUrls: [string, (url: URL) => void, SourceErrorCode][] = [
    ['a wrong password', (url) => (url.password = 'wr0ng'), 'database_refused'],
    ['an unknown user', (url) => (url.username = 'nobody_here'), 'database_refused'],
    ['an unknown database', (url) => (url.pathname = '/nowhere'), 'database_refused'],
    ['a host that is not there', (url) => (url.hostname = 'db.invalid'), 'database_unreachable'],
    ['no database', (url) => (url.pathname = ''), 'database_url_invalid'],
  ];
  for (const [name, change, code] of badUrls) {
    it(`names ${name} without the password`, async () => {
      const url = new URL(server.url());
      change(url);
      await assert.rejects(openQuery(url.href, 'select 1', OPTIONS), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        const all = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
        assert.doesNotMatch(all, /s3cret|p%40ss|wr0ng/);
        return true;
      });
    });
  }

  it('names a port on which nobody listens', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    listener.close();
    await once(listener, 'close');
    const url = new URL(server.url());
    url.hostname = 'localhost';
    url.port = String(port);
    await assert.rejects(openQuery(url.href, 'select 1', OPTIONS), {
      code: 'database_unreachable',
      message: /ECONNREFUSED/,
    });
  });

  it('closes its connection where the reader stops early', async () => {
    const source = await openQuery(server.url(), server.many(200_000), OPTIONS);
    for await (const batch of source.intents) {
      assert.equal(batch.length, 1_000);
      // The one that read the columns may still be on its way out.
      assert.equal(await settled(server, 1), 1);
      break;
    }
    assert.equal(await settled(server, 0), 0);
  });

  it('says after which row the connection was lost', async () => {
    const source = await openQuery(server.url(), server.many(400_000), OPTIONS);
    let rows = 0;
    await assert.rejects(
      async () => {
        for await (const batch of source.intents) {
          if (rows === 0) await server.endImports();
          rows += batch.length;
        }
      },
      (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'database_lost', error.message);
        assert.ok(rows > 0 && (error.row ?? 0) > rows, `${rows} rows, then ${error.row}`);
        return true;
      },
    );
  });
}

async function settled(server: Server, count: number): Promise<number> {
  const deadline = Date.now() + 10_000;
  while ((await server.imports()) !== count && Date.now() < deadline) await pause(20);
  return server.imports();
}

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

const program = findMariadb();
const skip = program === null ? 'there is no mariadbd here: apt-get install mariadb-server' : false;

describe('a query on MySQL', { skip }, () => {
  let mariadb: TestMariadb;
  before(async () => {
    mariadb = await startMariadb(program ?? '');
  });
  after(() => mariadb.stop());

  function ask(sql: string): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const connection = createConnection({ uri: mariadb.url });
      connection.query(sql, (error, rows) => {
        connection.destroy();
        if (error) reject(error);
        else resolve(rows as unknown[]);
      });
    });
  }
  const ours = `from information_schema.processlist where command = 'Query' and info like '%person-%' and id <> connection_id()`;

  const server: Server = {
    url: () => mariadb.url,
    execute: (...statements) => mariadb.execute(...statements),
    people: [
      `create table people (id int, email varchar(200), email_consent boolean, email_consented_at timestamp null, joined datetime(3))`,
      `set time_zone = '+02:00'`,
      `insert into people values
        (1, 'ADA@example.com', true, '2021-03-04 07:06:07', '2021-03-04 05:06:07.250'),
        (2, 'bob@example.com', false, null, null),
        (3, null, null, null, null)`,
    ],
    many: (count) =>
      `select concat('person-', seq, '@example.com') as email, 'yes' as email_consent, timestamp '2006-01-01 00:00:00' as email_consented_at from seq_1_to_${count}`,
    endImports: async () => {
      assert.equal(await settled(server, 1), 1);
      const [session] = await ask(`select id ${ours}`);
      await ask(`kill ${(session as { id: number }).id}`);
    },
    imports: async () => (await ask(`select id ${ours}`)).length,
  };

  testsOf(server);

  it('sends a server elsewhere no password without TLS', async () => {
    // This machine, by a name that does not say so. The server has no certificate, or one of its own.
    const elsewhere = mariadb.url.replace('127.0.0.1', '0.0.0.0');
    await assert.rejects(openQuery(elsewhere, 'select 1', OPTIONS), {
      code: 'database_unreachable',
      message: /add ssl=false|NODE_EXTRA_CA_CERTS/,
    });
    const told = `${elsewhere}${elsewhere.includes('?') ? '&' : '?'}ssl=false`;
    await assert.rejects(openQuery(told, 'select 1', OPTIONS), (error) => {
      assert.ok(error instanceof SourceError);
      assert.notEqual(error.code, 'database_unreachable');
      return true;
    });
  });

  it('reads bits, decimals, large numbers and zero dates as text', async () => {
    await mariadb.execute(
      `set sql_mode = ''`,
      `create table odd (email varchar(99), email_consent bit(1), phone_number bigint unsigned, email_consented_at datetime)`,
      `insert into odd values ('ada@example.com', b'1', 12015550123, '0000-00-00')`,
    );
    const source = await openQuery(mariadb.url, 'select * from odd', {
      ...OPTIONS,
      undated: 'subscribe',
    });
    assert.deepEqual((await intentsOfSource(source)).map(inShort), [['email subscribe']]);
  });

  it('refuses a statement that has no result', async () => {
    await assert.rejects(openQuery(mariadb.url, 'set @x = 1', OPTIONS), {
      code: 'query_without_columns',
    });
  });

  it('refuses parameters of the URL that mean nothing', async () => {
    await assert.rejects(openQuery(`${mariadb.url}?sslmode=require`, 'select 1', OPTIONS), {
      code: 'database_url_invalid',
      message: /"sslmode".*ssl=true/,
    });
  });
});

describe('the location of a query', () => {
  const broken = [
    'postgres://ada:s3cret#x@host:port/shop',
    'postgres:ada:s3cret@host/shop',
    'mysql://ada:s3cret%@host/shop',
    'mysql://ada:s3cret@host:99999/shop',
  ];
  for (const url of broken) {
    it(`is not shown where it cannot be read: ${url}`, async () => {
      await assert.rejects(openSource(url, OPTIONS, 'select 1'), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'database_url_invalid');
        assert.doesNotMatch(`${error.message} ${error.stack}`, /s3cret/);
        assert.match(error.message, /percent-encoded/);
        return true;
      });
    });
  }

  it('needs a query', async () => {
    for (const query of [null, ' ']) {
      await assert.rejects(openSource('postgres://ada@host/shop', OPTIONS, query), {
        code: 'query_missing',
        message: /--query/,
      });
    }
  });

  it('is a database, not a file', async () => {
    await assert.rejects(openSource('people.csv', OPTIONS, 'select 1'), {
      code: 'query_without_database',
      file: 'people.csv',
    });
  });
});
