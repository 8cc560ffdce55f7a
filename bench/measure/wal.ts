import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** What a ledger has written since `begin`. */
export interface Written {
  readonly walBytes: number;
  /** Full pages in the WAL, which PostgreSQL writes after every checkpoint. */
  readonly fullPageImages: number;
  readonly tableBytes: number;
  readonly indexBytes: number;
  readonly updates: number;
  /** Share of the updates that changed no index; null if there were none. */
  readonly hotShare: number | null;
}

/**
 * Measures what is written to a database. Independent of the ledger's tables: it adds up all of its
 * schema. Nothing else may use the server.
 */
export class WriteMeter {
  private constructor(
    private readonly url: string,
    private readonly walStart: string,
    private readonly imagesStart: number,
  ) {}

  static begin(url: string): Promise<WriteMeter> {
    return withClient(url, async (client) => {
      const { lsn, images } = await position(client);
      return new WriteMeter(url, lsn, images);
    });
  }

  /**
   * Close the ledger first: a connection reports its last updates when it ends, which is awaited
   * here.
   *
   * @throws Error if a connection stays open
   */
  end(): Promise<Written> {
    return withClient(this.url, async (client) => {
      await untilAlone(client);
      const { lsn, images } = await position(client);
      const { rows } = await client.query<Record<keyof typeof TOTALS, string>>(
        `select pg_wal_lsn_diff($1, $2) as wal, ${totals} from pg_stat_user_tables
         where schemaname = 'consentry'`,
        [lsn, this.walStart],
      );
      const of = (name: string): number => Number((rows[0] as Record<string, string>)[name]);
      return {
        walBytes: of('wal'),
        fullPageImages: images - this.imagesStart,
        tableBytes: of('tables'),
        indexBytes: of('indexes'),
        updates: of('updates'),
        hotShare: of('updates') === 0 ? null : of('hot') / of('updates'),
      };
    });
  }
}

const TOTALS = {
  tables: 'sum(pg_table_size(relid))',
  indexes: 'sum(pg_indexes_size(relid))',
  updates: 'sum(n_tup_upd)',
  hot: 'sum(n_tup_hot_upd)',
} as const;

const totals = Object.entries(TOTALS)
  .map(([name, sum]) => `coalesce(${sum}, 0) as ${name}`)
  .join(', ');

const ALONE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** A connection is gone from this view only after it has reported what it did. */
async function untilAlone(client: pg.Client): Promise<void> {
  for (const giveUpAt = Date.now() + ALONE_WITHIN_MS; ;) {
    const { rows } = await client.query<{ what: string }>(
      `select format('%s: %s', state, left(query, 100)) as what from pg_stat_activity
       where datname = current_database()
         and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    if (rows.length === 0) return;
    if (Date.now() > giveUpAt) {
      const what = rows.map((row) => row.what).join('; ');
      throw new Error(
        `Connections to the database stay open, so their updates are not known: ${what}`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function position(client: pg.Client): Promise<{ lsn: string; images: number }> {
  const { rows } = await client.query<{ lsn: string; images: string }>(
    'select pg_current_wal_insert_lsn() as lsn, wal_fpi as images from pg_stat_wal',
  );
  return { lsn: rows[0]!.lsn, images: Number(rows[0]!.images) };
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The figures of what was written, by the number of rows. */
export function figuresOf(written: Written, rows: number): Record<string, number | null> {
  return {
    walMegabytesPerMillionRows: written.walBytes / rows,
    walBytes: written.walBytes,
    fullPageImages: written.fullPageImages,
    tableBytes: written.tableBytes,
    indexBytes: written.indexBytes,
    updates: written.updates,
    hotShare: written.hotShare,
  };
}
