import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableDestination } from '../../src/contracts/sync.js';
import { sharedTable } from '../../src/ledger/syncs/shared-table.js';

function at(database: string, tables: Pick<TableDestination, 'table'> & Partial<TableDestination>) {
  const to: TableDestination = {
    kind: 'table',
    url: { from: 'run' },
    history: null,
    onDeleted: 'erase',
    columns: {},
    ...tables,
  };
  return { destination: `${database}, table ${to.table}`, settings: { to } };
}

test('two syncs share a table of any kind, with or without its schema, as any user', () => {
  const one = at('postgres://crm@db.shop.test/crm', {
    table: 'a',
    history: 'b',
    lists: 'public.c',
  });
  const shared = (database: string, tables: Parameters<typeof at>[1]) =>
    sharedTable(at(database, tables), one);
  const crm = 'postgres://db.shop.test/crm';
  for (const table of ['a', 'b', 'c', 'public.a'])
    assert.equal(
      shared('postgres://other@db.shop.test/crm', { table }),
      `${crm}, table ${table.at(-1)}`,
    );
  assert.equal(shared(crm, { table: 'x', lists: 'b' }), `${crm}, table b`);
  assert.equal(shared(crm, { table: 'x', history: 'other.a' }), null);
  assert.equal(shared('postgres://crm@db.shop.test/shop', { table: 'a' }), null);
  assert.equal(shared('postgres://crm@db.shop.test:5433/crm', { table: 'a' }), null);
  const mysql = at('mysql://db.shop.test/crm', { table: 'crm.a' });
  assert.notEqual(sharedTable(mysql, at('mysql://me@db.shop.test/crm', { table: 'a' })), null);
  assert.equal(sharedTable(mysql, at('mysql://me@db.shop.test/crm', { table: 'public.a' })), null);
});

test('a sync that the file no longer has, and one into files, share none', () => {
  const one = at('postgres://db.shop.test/crm', { table: 'a' });
  const removed = { ...one, settings: { ...one.settings, isRemoved: true as const } };
  assert.equal(sharedTable(one, removed), null);
  // Names are shown as they are, whatever they are.
  const odd = at('postgres://a b#c@[::1]/d?e@f', { table: 'a' });
  assert.equal(sharedTable(one, odd), null);
  assert.notEqual(sharedTable(odd, odd), null);
  const files = {
    kind: 'files',
    folder: '/a',
    format: 'csv',
    onDeleted: 'erase',
    columns: {},
  } as const;
  assert.equal(sharedTable(one, { destination: 'folder /a', settings: { to: files } }), null);
});
