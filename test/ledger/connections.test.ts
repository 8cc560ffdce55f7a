import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { LedgerUnavailableError, openLedger } from '../../src/ledger/index.js';
import { openTestLedger } from '../support/ledger.js';

describe('connections of the ledger', () => {
  it('fail a query that gets none in time, and serve the next one', async () => {
    const ledger = await openTestLedger({ connections: 1, connectionWithinMs: 200 });
    try {
      const held = await ledger.pool.connect();
      await assert.rejects(sql`select 1`.execute(ledger.db), /timeout exceeded/);
      held.release();
      await sql`select 1`.execute(ledger.db);
    } finally {
      await ledger.close();
    }
  });

  it('end a statement that runs for too long', async () => {
    const ledger = await openTestLedger();
    try {
      const { rows } = await sql<{ limit: string }>`
        select current_setting('statement_timeout') as limit`.execute(ledger.db);
      assert.deepEqual(rows, [{ limit: '30min' }]);
    } finally {
      await ledger.close();
    }
  });

  it('say that a server does not answer, instead of waiting for ever', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      await assert.rejects(
        openLedger(`postgresql://u:p@127.0.0.1:${port}/x?sslmode=disable`, {
          connectionWithinMs: 300,
        }),
        (error) => error instanceof LedgerUnavailableError && /timeout/.test(error.message),
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
