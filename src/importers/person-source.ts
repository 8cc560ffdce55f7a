import { createHash } from 'node:crypto';
import type { ConsentChannel, Operation } from '../contracts/channels.js';
import type { Person } from '../contracts/person.js';
import { Header } from '../connectors/header.js';
import type { Table } from '../connectors/table.js';
import type { ImportedSource } from './imported-source.js';
import { importedSource } from './open-source.js';
import type { ImportOptions } from './options.js';

/** What is asked for one person. */
export interface PersonAsks {
  readonly person: Person;
  readonly operation: Operation;
  /** For `subscribe` and `unsubscribe`. */
  readonly channels: readonly ConsentChannel[];
}

/** One person and what is asked for them, as a source of one row in the generic layout. */
export function openPerson(asked: PersonAsks, options: ImportOptions): Promise<ImportedSource> {
  const cells = cellsOf(asked);
  const fields = Object.values(cells);
  const table: Table = {
    header: new Header('one person', Object.keys(cells), undefined),
    counts: 'rows',
    notices: [],
    async *rows() {
      yield [{ line: 1, fields }];
    },
    sha256: () => Promise.resolve(createHash('sha256').update(JSON.stringify(cells)).digest('hex')),
    close: () => Promise.resolve(),
  };
  return importedSource(table, 'one person', { ...options, preset: 'generic' });
}

function cellsOf({ person, operation, channels }: PersonAsks): Record<string, string> {
  const who = { [person.by]: person.value };
  const consents = (word: string) =>
    Object.fromEntries(channels.map((channel) => [`${channel}_consent`, word]));
  switch (operation) {
    case 'subscribe':
      return { ...who, ...consents('yes') };
    case 'unsubscribe':
      return { ...who, ...consents('unsubscribed') };
    case 'suppress':
      return { ...who, suppressed: 'yes' };
    case 'unsuppress':
      return { ...who, suppressed: 'lifted' };
    case 'add_to_list':
      return { ...who, list: 'add' };
    case 'remove_from_list':
      return { ...who, list: 'remove' };
  }
}
