import { MAY_SEND_COLUMNS, STATED_COLUMNS } from '../../consent/record/columns.js';
import { rowAfter, type ConsentRecord, type ConsentRow } from '../../consent/record/record.js';
import { CALL_LIMITS } from '../../contracts/limits.js';
import type { ValidationDifference, ValidationInput } from '../../contracts/sync.js';
import { noteFound } from '../../ledger/index.js';
import type { SyncDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { profilesOf } from './profiles-of.js';
import { withSession } from './session.js';

export function createValidateSync(deps: SyncDependencies) {
  return {
    /**
     * Compares random rows with what Klaviyo says of them now, and keeps the differences in the
     * ledger. A change since the last run is a difference too.
     */
    async validateSync({ sample, ...step }: ValidationInput) {
      return whileHeartbeating((signal) =>
        withSession(deps, step, async ({ destination }) => {
          const rows = await destination.sample(sample);
          const ids = [...rows.keys()];
          const differences: ValidationDifference[] = [];
          for (let at = 0; at < ids.length; at += CALL_LIMITS.lookUp) {
            const asked = ids.slice(at, at + CALL_LIMITS.lookUp);
            const { profiles } = await profilesOf(deps, asked, signal);
            const read = new Map(profiles.map(({ record }) => [record.profileId, record]));
            for (const id of asked) {
              const row = rows.get(id);
              if (row !== undefined) differences.push(...differencesOf(id, row, read.get(id)));
            }
          }
          await noteFound(deps.ledger.db, step.runId, { rows: rows.size, differences });
          return { rows: rows.size, differences: differences.length };
        }),
      );
    },
  };
}

function differencesOf(
  profileId: string,
  row: ConsentRow,
  record: ConsentRecord | undefined,
): ValidationDifference[] {
  if (record === undefined) {
    return [{ profileId, column: 'profile_id', inTable: profileId, inKlaviyo: null }];
  }
  const live = rowAfter(row, record);
  return [...STATED_COLUMNS, ...MAY_SEND_COLUMNS].flatMap(({ name: column }) => {
    const [inTable = null, inKlaviyo = null] = [row[column], live[column]];
    return inTable === inKlaviyo ? [] : [{ profileId, column, inTable, inKlaviyo }];
  });
}
