import { isTextChannel } from '../../../contracts/channels.js';
import type { CheckResult, MigrationSettings, Preflight } from '../../../contracts/migration.js';
import {
  countAskedRows,
  findMoveFrom,
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
    const { listId, moveFrom } = settings;
    const asked = { listId, moveFrom, listByName };
    const facts = await readFacts(klaviyo, asked, texts, accountId, signal);
    const { preflight, stops } = judge(facts, settings, rows, (name) => klaviyo.rateLimits(name));
    const [first] = stops;
    // All at once: otherwise each problem would take another run to find.
    if (first !== undefined) {
      throw stopping(first.type, stops.map(({ message }) => message).join('\n'));
    }
    return { ...preflight, listId: facts.list?.id ?? null };
  }

  /** Of two runs that move the same people to each other's list, each would rely on the other's. */
  async function refuseOpposedMove(
    migrationId: string,
    accountId: string,
    { listId, moveFrom }: MigrationSettings,
  ): Promise<void> {
    if (moveFrom === null || listId === null) return;
    const other = await findMoveFrom(ledger.db, accountId, listId, migrationId);
    if (other === null) return;
    throw stopping(
      'SettingsInvalid',
      `Migration ${other} moves people from list ${listId}, which this one moves people to: wait for its end, or ` +
        `cancel it with consentry cancel ${other}. Nothing was sent.`,
    );
  }

  return {
    /** Preflight of a migration, stored in the ledger. */
    async preflight({ migrationId }: { migrationId: string }): Promise<Preflight> {
      const { accountId, settings } = await getMigration(ledger.db, migrationId);
      await setPhase(ledger.db, migrationId, 'preflight');
      return whileHeartbeating(async (signal) => {
        await refuseOpposedMove(migrationId, accountId, settings);
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
