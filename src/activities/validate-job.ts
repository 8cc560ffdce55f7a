import { getMigration, settleSmsWithoutSender, unsentRowsOfJob } from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { whileHeartbeating } from './heartbeats.js';
import { guardStale } from './read-consent.js';

export interface ValidateInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  /** Consent that was read longer ago is read again, in milliseconds. */
  readonly consentMaxAgeMs: number;
}

export function createValidateJob(deps: ActivityDependencies) {
  return {
    /**
     * The last check before a submit: texts only to countries with a sender, and nobody who opted
     * out since their consent was read.
     *
     * @returns the rows that are left to send
     */
    async validateJob({
      migrationId,
      jobNumber,
      consentMaxAgeMs,
    }: ValidateInput): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        const { db } = deps.ledger;
        const { preflight } = await getMigration(db, migrationId);
        if (preflight !== null && preflight.sms.source !== 'not_needed') {
          await settleSmsWithoutSender(db, migrationId, jobNumber, preflight.sms.countries);
        }
        const rows = await unsentRowsOfJob(db, migrationId, jobNumber);
        const job = { migrationId, jobNumber };
        const stale = await guardStale(deps, job, rows, consentMaxAgeMs, signal);
        const left = stale ? await unsentRowsOfJob(db, migrationId, jobNumber) : rows;
        return { rows: left.length };
      });
    },
  };
}
