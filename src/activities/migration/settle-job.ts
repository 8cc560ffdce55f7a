import { setTimeout as delay } from 'node:timers/promises';
import {
  identifierOf,
  isConsentChannel,
  isListChannel,
  isPhoneChannel,
} from '../../contracts/channels.js';
import type { MigrationSettings, OptOutTiming, OutcomeCounts } from '../../contracts/migration.js';
import { consentOf, type ProfileConsent } from '../../klaviyo/index.js';
import {
  countJobOutcomes,
  findRepairsOf,
  getJob,
  getMigration,
  noteOptOuts,
  openRowsOfJob,
  settleParts,
  submissionsOfJob,
  type Migration,
  type OpenPart,
  type OpenRow,
  type OptOut,
  type Settlement,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { profilesFor } from '../../consent/person.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { needsPhone, optOutsShown, spellingsOf } from '../../consent/judge.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import { LAST_LOOKS, LAST_LOOK_EVERY_MS, repairOptOuts } from '../opt-outs/repair.js';
import { membersFor } from './list-members.js';
import { lookUpMembers, lookUpPeople, type LookedUp } from '../look-ups.js';
import { settleImportErrors } from './import-errors.js';
import { proveAtDeadline, provePart, readBack, type Deadline } from '../../consent/proof.js';

export interface SettleInput {
  readonly migrationId: string;
  readonly jobNumber: number;
  /** The deadline has come: whatever is still open is settled now. */
  readonly final: boolean;
  readonly timing: Pick<OptOutTiming, 'appliedWithinMs'>;
}

export interface SettleResult {
  readonly outcomes: OutcomeCounts;
  /** The job's newest call when the read began: everything sent up to it has been read back. */
  readonly readBack: string | null;
}

export function createSettleJob(deps: ActivityDependencies) {
  const { db } = deps.ledger;
  return {
    /** Looks up the sent rows of a job that are not proved yet and settles what that shows. */
    async settleJob(input: SettleInput): Promise<SettleResult> {
      return whileHeartbeating(async (signal) => {
        const { migrationId, jobNumber } = input;
        const newest = (await submissionsOfJob(db, migrationId, jobNumber)).at(-1);
        await lookUpJob(deps, input, signal);
        const outcomes = await countJobOutcomes(db, migrationId, jobNumber);
        return { outcomes, readBack: newest?.id ?? null };
      });
    },
  };
}

/**
 * Looks up what was sent and is open. People who are read as opted out are not settled but watched,
 * since the call may still be applied.
 */
export async function lookUpJob(
  deps: ActivityDependencies,
  { migrationId, jobNumber, final, timing }: SettleInput,
  signal: AbortSignal,
): Promise<void> {
  const migration = await getMigration(deps.ledger.db, migrationId);
  if (final) await settleImportErrors(deps, migrationId, jobNumber, signal);
  for (let looks = 1; ; looks += 1) {
    const isLast = final && looks >= LAST_LOOKS;
    const unknown = await lookOnce(deps, migration, { jobNumber, final, isLast }, signal);
    if (!final || unknown === 0) break;
    await delay(LAST_LOOK_EVERY_MS, undefined, { signal });
  }
  if (!final) return;
  const repairing = { jobNumber, appliedWithinMs: timing.appliedWithinMs, final };
  await repairOptOuts(deps, migration, repairing, signal);
}

/** @returns rows that stay open at the deadline because Klaviyo does not show their consent */
async function lookOnce(
  deps: ActivityDependencies,
  migration: Migration,
  { jobNumber, final, isLast }: { jobNumber: number; final: boolean; isLast: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { db } = deps.ledger;
  const migrationId = migration.id;
  const sent = (await openRowsOfJob(db, migrationId, jobNumber)).map(sentOnly);
  const { operation } = await getJob(db, migrationId, jobNumber);
  const listId = OPERATIONS[operation].list(migration.settings);
  const looked = await lookUp(deps, migration, listId, sent, signal);
  const rows = sent.filter((row) => looked.covers(row));
  const now = deps.klaviyo.now()?.latest ?? new Date();
  const optOuts = rows.flatMap((row) => optOutsOfSubscribed(row, looked, now));
  await noteOptOuts(db, migration.accountId, optOuts);
  // Also for people not read as opted out: the call may have lifted a known opt-out.
  await findRepairsOf(db, migrationId, rows.flatMap(identifiersOfSubscribed));
  const deadline = final ? await deadlineOf(deps, migration, jobNumber) : null;
  const staysOpen = (row: OpenRow) => !isLast && isUnknown(row, looked);
  await settleParts(
    db,
    migrationId,
    rows.flatMap((row) => settlementsOf(row, looked, migration, staysOpen(row) ? null : deadline)),
  );
  looked.throwIfShort();
  return final ? rows.filter(staysOpen).length : 0;
}

function isUnknown(row: OpenRow, { people }: Looked): boolean {
  return row.parts.some(
    ({ channel }) =>
      isConsentChannel(channel) &&
      profilesFor(channel, people.index.heldFor(row)).some(
        (profile) => consentOf(profile, channel)?.consent === 'unknown',
      ),
  );
}

/** What Klaviyo holds for rows, and which of them are on the list of their job. */
interface Looked {
  readonly people: LookedUp;
  readonly members: LookedUp | null;
  covers(row: OpenRow): boolean;
  throwIfShort(): void;
}

async function lookUp(
  { klaviyo }: ActivityDependencies,
  { settings }: Migration,
  listId: string | null,
  rows: readonly OpenRow[],
  signal: AbortSignal,
): Promise<Looked> {
  const people = await lookUpPeople(
    klaviyo,
    {
      emails: rows.flatMap((row) => (asksByEmail(row) ? spellingsOf(row) : [])),
      phoneNumbers: rows.flatMap((row) => (asksByPhone(row) ? (row.phoneNumber ?? []) : [])),
    },
    signal,
  );
  const listed = rows.filter(({ parts }) => parts.some((part) => isAboutList(part, settings)));
  const members =
    listId === null
      ? null
      : await lookUpMembers(
          klaviyo,
          listId,
          {
            emails: listed.flatMap(spellingsOf),
            phoneNumbers: listed.flatMap((row) => (needsPhone(row) ? (row.phoneNumber ?? []) : [])),
          },
          signal,
        );
  return {
    people,
    members,
    covers: (row) => people.covers(row) && members?.covers(row) !== false,
    throwIfShort() {
      people.throwIfShort();
      members?.throwIfShort();
    },
  };
}

function settlementsOf(
  row: OpenRow,
  { people, members }: Looked,
  { settings }: Migration,
  deadline: ((submissionId: string | null) => Deadline) | null,
): Settlement[] {
  const { rowNumber } = row;
  return row.parts.flatMap((part): Settlement[] => {
    const { channel } = part;
    const isList = isListChannel(channel);
    const membership = members === null ? [] : membersFor(channel, row, members.index.heldFor(row));
    const profiles = isList ? membership : profilesFor(channel, people.index.heldFor(row));
    const read = {
      ...settings,
      profiles,
      isMember: isAboutList(part, settings) ? membership.length > 0 : null,
    };
    const verdict =
      deadline === null
        ? provePart(part, read)
        : proveAtDeadline(part, read, deadline(part.submissionId));
    if (verdict === null) return [];
    const settledBy = isList ? 'list_members' : 'profile_lookup';
    return [{ rowNumber, channel, ...verdict, ...readBack(part, profiles, verdict), settledBy }];
  });
}

/** The opt-outs read for people whom the run asked Klaviyo to subscribe. */
function optOutsOfSubscribed(row: OpenRow, { people }: Looked, now: Date): OptOut[] {
  return row.parts
    .filter(({ operation }) => OPERATIONS[operation].givesConsent)
    .flatMap(({ channel }) => {
      const profiles: ProfileConsent[] = profilesFor(channel, people.index.heldFor(row));
      return optOutsShown(profiles, new Date(0), now);
    });
}

function identifiersOfSubscribed(row: OpenRow): string[] {
  return row.parts
    .filter(({ operation }) => OPERATIONS[operation].bringsIn)
    .flatMap(({ channel }) => identifierOf(channel, row) ?? []);
}

async function deadlineOf(
  { ledger }: ActivityDependencies,
  { id, settings, preflight }: Migration,
  jobNumber: number,
): Promise<(submissionId: string | null) => Deadline> {
  const partialFailures = new Map(
    (await submissionsOfJob(ledger.db, id, jobNumber)).map((submission) => [
      submission.id,
      submission.partialFailure,
    ]),
  );
  return (submissionId) => ({
    optInProcess: preflight?.optInProcess ?? null,
    historicalImport: settings.historicalImport,
    partialFailure: partialFailures.get(submissionId ?? '') ?? null,
  });
}

function sentOnly(row: OpenRow): OpenRow {
  return { ...row, parts: row.parts.filter((part) => part.submissionId !== null) };
}

/** Whether who is on the run's list proves the part. */
function isAboutList({ channel, operation }: OpenPart, settings: MigrationSettings): boolean {
  return isListChannel(channel) || OPERATIONS[operation].offList(settings) !== null;
}

function hasPart(row: OpenRow, channel: string): boolean {
  return row.parts.some((part) => part.channel === channel);
}

const asksByEmail = (row: OpenRow): boolean =>
  row.parts.some(({ channel }) => ['email', 'push', 'suppression'].includes(channel));

/** Push uses the person's e-mail, or the phone number if the row has no e-mail. */
const asksByPhone = (row: OpenRow): boolean =>
  row.parts.some(({ channel }) => isPhoneChannel(channel)) ||
  (row.email === null && hasPart(row, 'push'));
