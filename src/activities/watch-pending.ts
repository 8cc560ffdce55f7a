import { setTimeout as delay } from 'node:timers/promises';
import { JOB_SIZE } from '../contracts/limits.js';
import {
  countTotals,
  pendingRows,
  settlePending,
  type OpenRow,
  type Settlement,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { heldFor } from './guard.js';
import { whileHeartbeating } from './heartbeats.js';
import { lookUpPeople, type ProfileIndex } from './profile-index.js';
import { provePart, readBack } from './proof.js';

export function createWatchPending(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /**
     * Looks up everybody of a migration who has not clicked yet, and moves those whose consent
     * shows, or who said no, to what they are.
     *
     * @returns rows: confirmed by this look, and still pending
     */
    async lookAtPending({
      migrationId,
    }: {
      migrationId: string;
    }): Promise<{ confirmed: number; pending: number }> {
      return whileHeartbeating(async (signal) => {
        const confirmed = new Set<number>();
        for (let after = 0; ;) {
          signal.throwIfAborted();
          const rows = await pendingRows(db, migrationId, after, JOB_SIZE);
          if (rows.length === 0) break;
          const people = await lookUpPeople(
            deps.klaviyo,
            {
              emails: rows.flatMap((row) => row.email ?? []),
              phoneNumbers: rows.flatMap((row) => row.phoneNumber ?? []),
            },
            signal,
          );
          const unread = rows.findIndex((row) => !people.covers(row));
          const read = unread === -1 ? rows : rows.slice(0, unread);
          const settlements = settlementsOf(read, people.index);
          await settlePending(db, migrationId, settlements);
          for (const { rowNumber, outcome } of settlements) {
            if (outcome === 'confirmed') confirmed.add(rowNumber);
          }
          after = read.at(-1)?.rowNumber ?? after;
          // Here, as whoever has not clicked leaves no trace of having been looked at.
          if (people.shortForMs !== null) await delay(people.shortForMs, undefined, { signal });
        }
        const { outcomes } = await countTotals(db, migrationId);
        return { confirmed: confirmed.size, pending: outcomes.pending_double_opt_in ?? 0 };
      });
    },
  };
}

function settlementsOf(rows: readonly OpenRow[], people: ProfileIndex): Settlement[] {
  return rows.flatMap((row) => {
    const held = {
      byEmail: people.byEmail(row.email),
      byPhone: people.byPhone(row.phoneNumber),
    };
    return row.parts.flatMap((part): Settlement[] => {
      const { channel } = part;
      const profile = channel === 'list' ? null : heldFor(channel, held);
      const verdict = provePart(part, profile, false);
      if (verdict === null) return [];
      const read = readBack(channel, profile);
      return [
        { rowNumber: row.rowNumber, channel, ...verdict, ...read, evidence: 'profile_lookup' },
      ];
    });
  });
}
