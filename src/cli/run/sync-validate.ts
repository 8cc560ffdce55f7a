import type { ValidationFound } from '../../contracts/sync.js';
import { Ended } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { count, counted } from '../render/quantities.js';
import { table } from '../render/table.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';
import { requestOf, type SyncFlags } from './sync-run.js';

const MOST_SHOWN = 50;

/** Compares random rows with Klaviyo. @throws Ended with 8 if anything differs */
export async function validateRows(
  name: string | null,
  flags: SyncFlags & { readonly sample: number },
  terminal: Terminal,
): Promise<void> {
  const which = name === null ? requestOf(flags) : { name, account: flags.account ?? null };
  const found = await withConsentry(({ consentry }) =>
    consentry.syncs.validate(which, flags.sample),
  );
  new Output(terminal, flags.json ?? false).result(found, renderFound(found));
  if (found.differences.length > 0) throw new Ended(EXIT.differs);
}

function renderFound({ rows, differences }: ValidationFound): string {
  if (differences.length === 0) return `${counted(rows, 'row')} compared: all as Klaviyo says.`;
  const shown = differences.slice(0, MOST_SHOWN);
  const profiles = new Set(differences.map(({ profileId }) => profileId)).size;
  return [
    table(
      [{ head: 'profile' }, { head: 'column' }, { head: 'in the table' }, { head: 'in Klaviyo' }],
      shown.map(({ profileId, column, inTable, inKlaviyo }) => [
        profileId,
        column,
        String(inTable),
        String(inKlaviyo),
      ]),
    ),
    ...(differences.length > shown.length
      ? [`and ${count(differences.length - shown.length)} more; --json has all of them`]
      : []),
    `${counted(rows, 'row')} compared: ${counted(differences.length, 'value')} of ${counted(profiles, 'profile')} differ. ` +
      'What changed since the last run differs too; run the sync, and compare again.',
  ].join('\n\n');
}
