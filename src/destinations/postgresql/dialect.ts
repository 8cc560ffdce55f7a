import type { Dialect } from '../sql/database.js';
import { nameOf, type SqlType } from '../sql/layout.js';
import { keyList, quoted } from '../sql/statements.js';

const TYPES: Readonly<Record<SqlType, string>> = {
  key: 'text',
  word: 'text',
  text: 'text',
  boolean: 'boolean',
  timestamp: 'timestamp with time zone',
  json: 'jsonb',
  number: 'bigint',
  counter: 'bigint',
};

/** Ids are compared byte by byte, so that their order is everywhere the same. */
const DECLARED: Readonly<Partial<Record<SqlType, string>>> = {
  key: 'text collate "C"',
  counter: 'bigint generated always as identity',
};

export const POSTGRESQL: Dialect = {
  longestName: 63,
  anyOf: '= any(?)',
  byBytes: (column) => `${column} collate "C"`,
  random: 'random()',
  quote: (name) => `"${name.replaceAll('"', '""')}"`,
  time: (value) => value,
  typeOf: (type) => TYPES[type],
  createTable(table) {
    const columns = table.columns.map(({ name, type, nullable }, i) => {
      const declared = DECLARED[type] ?? TYPES[type];
      const isKey = i === 0 && table.keyColumns === 1;
      const suffix = isKey ? ' primary key' : nullable ? '' : ' not null';
      return `${this.quote(name)} ${declared}${suffix}`;
    });
    if (table.keyColumns > 1) columns.push(`primary key (${keyList(this, table)})`);
    const name = quoted(this, table);
    return [
      `create table ${name} (${columns.join(', ')})`,
      ...table.indexes.map((index) => {
        const names = index.map((of) => this.quote(nameOf(table, of)));
        // Hardly any profile is merged: its index has only those.
        const where = index[0] === 'merged_into' ? ` where ${names[0]} is not null` : '';
        return `create index on ${name} (${names.join(', ')})${where}`;
      }),
    ];
  },
};
