import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import type { TestDatabase } from '../../support/database.js';
import type { FoundRow } from '../compare.js';

/** The database that a sync writes into, as its owner reads it. */
export interface CustomerDatabase {
  readonly url: string;
  /** Times as text, in UTC. */
  rows(query: string): Promise<FoundRow[]>;
  close(): Promise<void>;
}

const TIMESTAMPTZ = 1184;

export function postgresqlCustomer(database: TestDatabase): CustomerDatabase {
  const { url } = database;
  const pool = new pg.Pool({ connectionString: url, max: 1, options: '-c timezone=UTC' });
  pool.on('error', () => undefined);
  return {
    url,
    async rows(text) {
      const { rows } = await pool.query<FoundRow>({
        text,
        types: {
          getTypeParser: (type: number) =>
            type === TIMESTAMPTZ
              ? (value: string) => value
              : (pg.types.getTypeParser(type) as (value: string) => unknown),
        },
      });
      return rows;
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

/** The tables that a scenario made stay in the server, which ends with the campaign. */
export async function mariadbCustomer(url: string): Promise<CustomerDatabase> {
  const connection = await createConnection({
    uri: url,
    dateStrings: true,
    typeCast: (field, next) => {
      if (field.type !== 'TINY') return next();
      const text = field.string();
      return text === null ? null : text === '1';
    },
  });
  return {
    url,
    async rows(query) {
      const [rows] = await connection.query<RowDataPacket[]>(query);
      return rows;
    },
    close: () => connection.end(),
  };
}
