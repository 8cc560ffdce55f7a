import { isTextChannel } from '../../../contracts/channels.js';
import type { CheckResult, MigrationSettings, Preflight } from '../../../contracts/migration.js';
import {
  countAskedRows,
  getMigration,
  setPhase,
  setPreflight,
  type AskedRows,
} from '../../../ledger/index.js';
import type { ActivityDependencies } from '../../dependencies.js';
import { stopping } from '../../temporal/failures.js';
import { whileHeartbeating } from '../../temporal/heartbeats.js';
import { readFacts } from './facts.js';
import { judge } from './verdict.js';

/** Reads what the run depends on, and stops it before anything is sent. */
export function createPreflight({ ledger, klaviyo }: ActivityDependencies) {
  // Klaviyo allows 15 calls a minute to read it, and the account of a key never changes.
  let known: string | null = null;

  async function inspect(
    settings: MigrationSettings,
    rows: AskedRows | null,
    signal: AbortSignal,
    listByName = false,
  ): Promise<CheckResult> {
    const texts = rows === null ? settings.channels.some(isTextChannel) : rows.texts.length > 0;
    const accountId = async () => (known ??= (await klaviyo.getAccount({ signal })).id);
    const asked = { listId: settings.listId, listByName };
    const facts = await readFacts(klaviyo, asked, texts, accountId, signal);
    const { preflight, stops } = judge(facts, settings, rows, (name) => klaviyo.rateLimits(name));
    const [first] = stops;
    // All at once: otherwise each problem would take another run to find.
    if (first !== undefined) {
      throw stopping(first.type, stops.map(({ message }) => message).join('\n'));
    }
    return { ...preflight, listId: facts.list?.id ?? null };
  }

  return {
    /** Preflight of a migration, stored in the ledger. */
    async preflight({ migrationId }: { migrationId: string }): Promise<Preflight> {
      const { settings } = await getMigration(ledger.db, migrationId);
      await setPhase(ledger.db, migrationId, 'preflight');
      return whileHeartbeating(async (signal) => {
        const rows = await countAskedRows(ledger.db, migrationId);
        const { listId: _, ...preflight } = await inspect(settings, rows, signal);
        await setPreflight(ledger.db, migrationId, preflight);
        return preflight;
      });
    },

    /**
     * The same reads for `consentry check`; nothing is stored.
     *
     * @param listByName the list of the settings may be given by its name
     */
    async checkAccount({
      settings,
      listByName,
    }: {
      settings: MigrationSettings;
      listByName: boolean;
    }): Promise<CheckResult> {
      return whileHeartbeating((signal) => inspect(settings, null, signal, listByName));
    },
  };
}
