import type { MigrationTiming } from '../../contracts/migration.js';
import {
  getMigration,
  rowsIfFresh,
  settleSmsWithoutSender,
  unsentRowsOfJob,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { AccountPeople } from '../mirror/account-people.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { guardStale, newAttempt } from './guard-rows.js';

export interface ValidateInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  readonly timing: MigrationTiming;
}

export function createValidateJob(deps: ActivityDependencies, people: AccountPeople) {
  return {
    /**
     * The last check before a submit: texts only to countries with a sender, and nobody who opted
     * out since their consent was read. Looks up nobody if the run is paused or stopped.
     *
     * @returns the rows that are left to send
     */
    async validateJob({
      migrationId,
      jobNumber,
      timing,
    }: ValidateInput): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        const { db } = deps.ledger;
        const { preflight, paused, stopped } = await getMigration(db, migrationId);
        if (preflight !== null && preflight.sms.source !== 'not_needed') {
          await settleSmsWithoutSender(db, migrationId, jobNumber, preflight.sms.countries);
        }
        // Mostly nothing has happened since the guard read everybody: then no row need be read.
        const fresh = await rowsIfFresh(db, migrationId, jobNumber, timing);
        if (fresh !== null) return { rows: fresh };
        const rows = await unsentRowsOfJob(db, migrationId, jobNumber);
        if (paused || stopped) return { rows: rows.length };
        const job = { migrationId, jobNumber };
        const stale = await guardStale(deps, people, job, rows, timing, newAttempt(), signal);
        const left = stale ? await unsentRowsOfJob(db, migrationId, jobNumber) : rows;
        return { rows: left.length };
      });
    },
  };
}
