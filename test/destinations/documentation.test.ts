import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { SqlDatabase } from '../../src/destinations/sql/database.js';
import { MYSQL } from '../../src/destinations/mysql/dialect.js';
import { POSTGRESQL } from '../../src/destinations/postgresql/dialect.js';
import { layoutOf, type Table } from '../../src/destinations/sql/layout.js';
import { TABLES } from './records.js';

/** The repository is the folder of package.json, from the sources as from the build. */
function documentation(): string {
  for (const up of ['../../', '../../../']) {
    try {
      return readFileSync(new URL(`${up}docs/destinations.md`, import.meta.url), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('docs/destinations.md is not found');
}

/** Name and types of each column that the section's table names. */
function columnsOf(section: string): string[][] {
  const [, after = ''] = documentation().split(`\n### ${section}\n`);
  const [text = ''] = after.split('\n#');
  return [...text.matchAll(/^\| `(\w+)` +\|([^|]+)\|([^|]+)\|/gm)].map(
    ([, name = '', one = '', other = '']) => [name, one.trim(), other.trim()],
  );
}

function declared(table: Table): string[][] {
  const type = (dialect: SqlDatabase['dialect'], i: number): string => {
    const column = table.columns[i];
    if (column === undefined) return '';
    return `${dialect.typeOf(column.type)}${column.nullable ? '' : ' not null'}`;
  };
  return table.columns.map(({ name }, i) => [name, type(POSTGRESQL, i), type(MYSQL, i)]);
}

describe('docs/destinations.md', () => {
  const { rows, history, marker, members } = layoutOf({ ...TABLES, lists: 'lists' }, '', 63);

  it('has the columns of the rows with their types, in their order', () => {
    assert.deepEqual(columnsOf('Rows'), declared(rows));
  });

  it('has the columns of the history', () => {
    assert.ok(history !== null);
    const plain = (text: string): string => text.replace(/, .*| collate \w+/, '');
    assert.deepEqual(
      columnsOf('History').map((cells) => cells.map(plain)),
      declared(history).map((cells) =>
        cells.map((text) => text.replace(' collate utf8mb4_bin', '')),
      ),
    );
  });

  it('has the columns of list memberships', () => {
    assert.ok(members !== null);
    assert.deepEqual(columnsOf('List memberships'), declared(members.rows));
  });

  it('has the columns of the marker', () => {
    const [, text = ''] = documentation().split('\n### Marker\n');
    for (const { name } of marker.columns.slice(1)) assert.ok(text.includes(`\`${name}\``), name);
  });
});
