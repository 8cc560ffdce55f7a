import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createConnection } from 'mysql2';
import { openQuery } from '../../src/importers/open-source.js';
import { SourceError } from '../../src/connectors/source-error.js';
import { findMariadb, startMariadb, type TestMariadb } from './mariadb.js';
import { OPTIONS, inShort, intentsOfSource } from '../support/sources.js';
import { settled, testsOf, type Server } from './query-tests.js';

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
