import { listSyncs, type LedgerDb } from '../../ledger/index.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import { ConfigFileError } from '../programs/file/problems.js';
import type { ProgramsFile } from '../programs/file/read.js';
import { webhookSecrets } from '../programs/file/secrets.js';
import type { ListeningSync } from './receiver.js';

/**
 * The syncs of a file that webhooks may wake, with their secrets.
 *
 * @param names none for all that have `webhooks`
 * @throws ConfigFileError if one has no `webhooks` or no usable secret; SettingsError if one is not in
 *   the ledger
 */
export async function listeningSyncs(
  db: LedgerDb,
  file: ProgramsFile,
  names: readonly string[],
): Promise<ListeningSync[]> {
  const { syncs, accounts } = file.settings;
  const withHooks = Object.keys(syncs).filter((name) => syncs[name]?.webhooks !== undefined);
  const asked = names.length > 0 ? [...new Set(names)] : withHooks;
  if (asked.length === 0) {
    throw new SettingsError(`No sync of ${file.path} has webhooks. ${HOW}`);
  }
  const known = await listSyncs(db);
  const listening: ListeningSync[] = [];
  for (const name of asked) {
    const entry = syncs[name];
    if (entry === undefined) {
      const has = Object.keys(syncs).join(', ') || 'none';
      throw new SettingsError(`${file.path} has no sync ${name}: it has ${has}.`);
    }
    if (entry.webhooks === undefined) {
      const problem = file.problem(['syncs', name], 'has no webhooks', HOW);
      throw new ConfigFileError(file.path, [problem]);
    }
    const account = accounts[entry.account]?.id;
    const [sync, ...others] = known.filter(
      (each) => each.name === name && (account === undefined || each.accountId === account),
    );
    if (sync === undefined) {
      throw new SettingsError(
        `The sync ${name} is not in the ledger: run consentry apply, or consentry sync run ${name}, first.`,
      );
    }
    if (others.length > 0) {
      throw new SettingsError(
        `Several accounts have a sync ${name}: give accounts.${entry.account}.id of ${file.path}.`,
      );
    }
    const secrets = await webhookSecrets(file, name, entry.webhooks);
    listening.push({ id: sync.id, name, accountId: sync.accountId, secrets });
  }
  return listening;
}

const HOW =
  'Give it webhooks: { secret: { env: NAME } }, the variable with the secret of the webhook.';
