import assert from 'node:assert/strict';
import pg from 'pg';
import type { Sandbox, SandboxOptions } from 'klaviyo-sandbox';
import type { SyncResult } from '../../src/contracts/sync.js';
import type { SyncRequest } from '../../src/starter/syncs/request.js';
import { startHarness, type Harness } from '../support/harness.js';
import { createTestDatabase } from '../support/stack.js';
import { expectedRow, inOrder } from './truth.js';

/** One account, one worker, one ledger, and a database of the customer's. */
export interface SyncWorld {
  readonly harness: Harness;
  readonly sandbox: Sandbox;
  /** Address of the customer's database. */
  readonly url: string;
  readonly database: pg.Pool;
  /** Runs a sync into the table `klaviyo_consent` to its end. */
  sync(request?: Partial<SyncRequest>): Promise<SyncResult>;
  /** Fails unless the table says of every profile what the account does. */
  assertTrue(table?: string): Promise<void>;
  /** Rows of a query. */
  rows(query: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function startSyncWorld(options: SandboxOptions = {}): Promise<SyncWorld> {
  const harness = await startHarness({ sandbox: options });
  const customer = await createTestDatabase();
  const database = new pg.Pool({ connectionString: customer.url, max: 4 });
  database.on('error', () => undefined);
  const { account } = harness.sandbox;
  const world: SyncWorld = {
    harness,
    sandbox: harness.sandbox,
    url: customer.url,
    database,
    async sync(request = {}) {
      const { syncs } = harness.consentry;
      const { workflowId } = await syncs.start({ to: customer.url, ...request });
      return syncs.waitForEnd(workflowId);
    },
    async assertTrue(table = 'klaviyo_consent') {
      const rows = await world.rows(
        `select * from ${table} where deleted_at is null and merged_into is null`,
      );
      const found = new Map(rows.map((row) => [String(row['profile_id']), row]));
      const missing: string[] = [];
      for (const line of account.truth()) {
        const row = found.get(line.id);
        found.delete(line.id);
        if (row === undefined) missing.push(line.id);
        else assertRow(row, expectedRow(line));
      }
      assert.deepEqual(missing, [], 'profiles without a row');
      assert.deepEqual([...found.keys()], [], 'rows without a profile');
    },
    async rows(query, values = []) {
      const client = await database.connect();
      try {
        await client.query("set timezone to 'UTC'");
        const { rows } = await client.query<Record<string, unknown>>({
          text: query,
          values: [...values],
          // Times as text: a `Date` would lose the microseconds.
          types: {
            getTypeParser: (type: number) =>
              type === TIMESTAMPTZ
                ? (value: string) => value
                : (pg.types.getTypeParser(type) as (value: string) => unknown),
          },
        });
        return rows;
      } finally {
        client.release();
      }
    },
    async close() {
      await database.end();
      await harness.close();
      await customer.drop();
    },
  };
  return world;
}

const TIMESTAMPTZ = 1184;

function assertRow(
  row: Readonly<Record<string, unknown>>,
  expected: ReadonlyMap<string, unknown>,
): void {
  for (const [column, value] of expected) {
    assert.deepEqual(
      shown(column, row[column]),
      value,
      `${column} of ${String(row['profile_id'])}`,
    );
  }
}

function shown(column: string, value: unknown): unknown {
  if (column.endsWith('suppressions')) return inOrder(value as object[]);
  const match = typeof value === 'string' ? STAMP.exec(value) : null;
  return match === null ? value : `${match[1]}.${(match[2] ?? '').padEnd(6, '0')}`;
}

const STAMP = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/;
