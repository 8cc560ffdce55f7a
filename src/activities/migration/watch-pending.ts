import { setTimeout as delay } from 'node:timers/promises';
import { isConsentChannel } from '../../contracts/channels.js';
import { JOB_SIZE } from '../../contracts/limits.js';
import type { MigrationSettings } from '../../contracts/migration.js';
import {
  countTotals,
  getMigration,
  pendingRows,
  settlePending,
  type OpenRow,
  type Settlement,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { optOutOf } from '../../consent/opt-outs.js';
import { profilesFor } from '../../consent/person.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { spellingsOf } from '../../consent/judge.js';
import type { ProfileIndex } from '../../consent/profile-index.js';
import { lookUpPeople, type LookedUp } from '../look-ups.js';
import { provePart, readBack } from '../../consent/proof.js';

const SHORT_PAUSE_MS = 5_000;

export function createWatchPending(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /**
     * Looks up everybody in a migration who has not clicked yet, and settles those whose consent
     * shows or who opted out.
     *
     * @returns rows that this look confirmed, and rows still pending
     */
    async lookAtPending({
      migrationId,
    }: {
      migrationId: string;
    }): Promise<{ confirmed: number; pending: number }> {
      return whileHeartbeating(async (signal) => {
        const { settings } = await getMigration(db, migrationId);
        const confirmed = new Set<number>();
        for (let after = 0; ;) {
          signal.throwIfAborted();
          const rows = await pendingRows(db, migrationId, after, JOB_SIZE);
          if (rows.length === 0) break;
          const people = await lookUpPeople(
            deps.klaviyo,
            {
              emails: rows.flatMap(spellingsOf),
              phoneNumbers: rows.flatMap((row) => row.phoneNumber ?? []),
            },
            signal,
          );
          const unread = rows.findIndex((row) => !people.covers(row));
          const read = unread === -1 ? rows : rows.slice(0, unread);
          const settlements = settlementsOf(read, people.index, settings);
          await settlePending(db, migrationId, settlements);
          for (const { rowNumber, outcome } of settlements) {
            if (outcome === 'confirmed') confirmed.add(rowNumber);
          }
          after = read.at(-1)?.rowNumber ?? after;
          // Wait here: the ledger does not record who was looked up without a click, so a retry
          // starts over.
          if (people.shortage !== null)
            await delay(pauseOf(people.shortage), undefined, { signal });
        }
        const { outcomes } = await countTotals(db, migrationId);
        return { confirmed: confirmed.size, pending: outcomes.pending_double_opt_in ?? 0 };
      });
    },
  };
}

/** How long to wait until reading may work again, if the error says so. */
function pauseOf(shortage: NonNullable<LookedUp['shortage']>): number {
  return shortage.retryAfterMs ?? SHORT_PAUSE_MS;
}

/** Settles people who gave their consent or opted out; not those who still have not clicked. */
function settlementsOf(
  rows: readonly OpenRow[],
  people: ProfileIndex,
  settings: MigrationSettings,
): Settlement[] {
  return rows.flatMap((row) => {
    const held = people.heldFor(row);
    return row.parts.flatMap((part): Settlement[] => {
      const { channel } = part;
      if (!isConsentChannel(channel)) return [];
      const profiles = profilesFor(channel, held);
      const proven = provePart(part, { ...settings, profiles, isMember: null });
      const optOut = optOutOf(channel, profiles, settings.listId);
      const verdict =
        proven ??
        (optOut === null || optOut === 'consent_state_unknown'
          ? null
          : ({ outcome: 'skipped_opted_out', reason: 'opted_out_during_run' } as const));
      if (verdict === null) return [];
      const read = readBack(part, profiles, verdict);
      return [
        { rowNumber: row.rowNumber, channel, ...verdict, ...read, settledBy: 'profile_lookup' },
      ];
    });
  });
}
