import type { Dialect } from '../sql/database.js';
import { nameOf, type SqlType, type Table } from '../sql/layout.js';
import { keyList, quoted } from '../sql/statements.js';

/** In the words of `relationOf`. A `mediumtext` holds 16 MB; `text` would hold 64 kB. */
const TYPES: Readonly<Record<SqlType, string>> = {
  key: 'varchar(64) collate utf8mb4_bin',
  word: 'varchar(255)',
  text: 'mediumtext',
  boolean: 'tinyint(1)',
  timestamp: 'datetime(6)',
  json: 'json',
  number: 'bigint',
  counter: 'bigint',
};

/** Characters of a text that an index has. */
const INDEXED = 191;

export const MYSQL: Dialect = {
  longestName: 64,
  anyOf: 'in (?)',
  // The column has a binary collation.
  byBytes: (column) => column,
  random: 'rand()',
  quote: (name) => `\`${name.replaceAll('`', '``')}\``,
  time: (value) => value.replace('T', ' ').replace('Z', ''),
  typeOf: (type) => TYPES[type],
  createTable(table) {
    const columns = table.columns.map(({ name, type, nullable }, i) => {
      const isKey = i === 0 && table.keyColumns === 1;
      const suffix = `${type === 'counter' ? ' auto_increment' : ''}${isKey ? ' primary key' : ''}`;
      return `${this.quote(name)} ${TYPES[type]} ${nullable ? 'null' : 'not null'}${suffix}`;
    });
    if (table.keyColumns > 1) columns.push(`primary key (${keyList(this, table)})`);
    const indexes = table.indexes.map(
      (index) => `index (${index.map((of) => indexed(table, of)).join(', ')})`,
    );
    return [
      `create table ${quoted(this, table)} (${[...columns, ...indexes].join(', ')})
       engine = InnoDB row_format = dynamic character set utf8mb4 collate utf8mb4_bin`,
    ];
  },
};

function indexed(table: Table, of: string): string {
  const isText = table.columns.some((column) => column.of === of && column.type === 'text');
  return `${MYSQL.quote(nameOf(table, of))}${isText ? `(${INDEXED})` : ''}`;
}
