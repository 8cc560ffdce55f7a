import { after, before, describe } from 'node:test';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { findMariadb, startMariadb, type TestMariadb } from '../connectors/mariadb.js';
import { testsOf, type TestServer } from './sql-tests.js';

const program = findMariadb();
const skip = program === null ? 'there is no mariadbd here: apt-get install mariadb-server' : false;

describe('MySQL and MariaDB', { skip }, () => {
  let mariadb: TestMariadb;
  before(async () => {
    mariadb = await startMariadb(program ?? '');
  });
  after(() => mariadb.stop());

  const server: TestServer = {
    url: () => mariadb.url,
    clear: () => mariadb.execute('drop database shop', 'create database shop character set latin1'),
    execute: (...statements) => mariadb.execute('use shop', ...statements),
    ask: async (query) => {
      const connection = await createConnection({ uri: mariadb.url, charset: 'utf8mb4' });
      try {
        const [rows] = await connection.query<RowDataPacket[]>({
          sql: query,
          rowsAsArray: true,
          typeCast: (field) => field.string('utf8'),
        });
        return rows as unknown as (string | null)[][];
      } finally {
        await connection.end();
      }
    },
    quote: (name) => `\`${name}\``,
  };

  testsOf(server);
});
