import { isPhoneChannel } from '../contracts/channels.js';
import type { OutcomeCounts } from '../contracts/migration.js';
import {
  countJobOutcomes,
  getMigration,
  openRowsOfJob,
  settleParts,
  submissionsOfJob,
  type OpenRow,
  type Settlement,
} from '../ledger/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { heldFor } from './guard.js';
import { whileHeartbeating } from './heartbeats.js';
import { lookUpMembers, lookUpPeople } from './profile-index.js';
import { proveAtDeadline, provePart, readBack } from './proof.js';

export interface SettleInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  /** The deadline: whatever is still open ends now. */
  readonly final: boolean;
}

export function createSettleJob(deps: ActivityDependencies) {
  return {
    /** Looks up the sent rows of a job that nothing has proved yet, and settles what that shows. */
    async settleJob(input: SettleInput): Promise<OutcomeCounts> {
      return whileHeartbeating(async (signal) => {
        await lookUpJob(deps, input, signal);
        return countJobOutcomes(deps.ledger.db, input.migrationId, input.jobNumber);
      });
    },
  };
}

export async function lookUpJob(
  { ledger, klaviyo }: ActivityDependencies,
  { migrationId, jobNumber, final }: SettleInput,
  signal: AbortSignal,
): Promise<void> {
  const { db } = ledger;
  const { settings, preflight } = await getMigration(db, migrationId);
  const sent = (await openRowsOfJob(db, migrationId, jobNumber)).map(sentOnly);
  const asked = {
    emails: sent.flatMap((row) => (asksByEmail(row) ? (row.email ?? []) : [])),
    phoneNumbers: sent.flatMap((row) => (asksByPhone(row) ? (row.phoneNumber ?? []) : [])),
  };
  const listed = sent.filter((row) => hasPart(row, 'list'));
  const people = await lookUpPeople(klaviyo, asked, signal);
  const members =
    settings.listId === null
      ? null
      : await lookUpMembers(
          klaviyo,
          settings.listId,
          {
            emails: listed.flatMap((row) => row.email ?? []),
            phoneNumbers: listed.flatMap((row) =>
              row.email === null ? (row.phoneNumber ?? []) : [],
            ),
          },
          signal,
        );
  const rows = sent.filter((row) => people.covers(row) && members?.covers(row) !== false);
  const partialFailures = new Map(
    (await submissionsOfJob(db, migrationId, jobNumber)).map(({ id, partialFailure }) => [
      id,
      partialFailure,
    ]),
  );
  const settlements = rows.flatMap((row): Settlement[] =>
    row.parts.flatMap((part) => {
      const held = {
        byEmail: people.index.byEmail(row.email),
        byPhone: people.index.byPhone(row.phoneNumber),
      };
      const profile = part.channel === 'list' ? null : heldFor(part.channel, held);
      const member =
        members?.index.byEmail(row.email) ?? members?.index.byPhone(row.phoneNumber) ?? null;
      const verdict = final
        ? proveAtDeadline(part, profile, member !== null, {
            optInProcess: preflight?.optInProcess ?? null,
            historicalImport: settings.historicalImport,
            partialFailure: partialFailures.get(part.submissionId ?? '') ?? null,
          })
        : provePart(part, profile, member !== null);
      return verdict === null
        ? []
        : [
            {
              rowNumber: row.rowNumber,
              channel: part.channel,
              ...verdict,
              ...readBack(part.channel, part.channel === 'list' ? member : profile),
              evidence:
                part.channel === 'list' ? ('list_members' as const) : ('profile_lookup' as const),
            },
          ];
    }),
  );
  await settleParts(db, migrationId, settlements);
  people.throwIfShort();
  members?.throwIfShort();
}

function sentOnly(row: OpenRow): OpenRow {
  return { ...row, parts: row.parts.filter((part) => part.submissionId !== null) };
}

function hasPart(row: OpenRow, channel: string): boolean {
  return row.parts.some((part) => part.channel === channel);
}

const asksByEmail = (row: OpenRow): boolean => hasPart(row, 'email') || hasPart(row, 'push');

/** Push belongs to the person: to the phone where the row has no e-mail. */
const asksByPhone = (row: OpenRow): boolean =>
  row.parts.some(({ channel }) => isPhoneChannel(channel)) ||
  (row.email === null && hasPart(row, 'push'));
