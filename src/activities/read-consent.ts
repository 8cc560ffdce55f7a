import {
  askForMembership,
  getMigration,
  settleDuplicates,
  settleParts,
  storeConsentBefore,
  unreadRows,
  type OpenPart,
  type OpenRow,
  type Settlement,
} from '../ledger/index.js';
import { isPhoneChannel } from '../contracts/channels.js';
import { JOB_SIZE } from '../contracts/limits.js';
import type { ActivityDependencies } from './dependencies.js';
import {
  consentBefore,
  guardMembership,
  guardPart,
  heldFor,
  mayBeOneProfile,
  type GuardVerdict,
  type Held,
} from './guard.js';
import { whileHeartbeating } from './heartbeats.js';
import { chunks, lookUpPeople } from './profile-index.js';

/** While one thousand rows are stored the next are looked up. */
const AT_ONCE = 3;

/** The guard's reads: the consent that Klaviyo holds, kept as the state before the run. */
export function createReadConsent(deps: ActivityDependencies) {
  return {
    /**
     * Settles duplicates, then reads every open row that was not read yet; a retry goes on where
     * it stopped.
     */
    async readConsent({ migrationId }: { migrationId: string }): Promise<{ rows: number }> {
      return whileHeartbeating(async (signal) => {
        await settleDuplicates(deps.ledger.db, migrationId);
        let read = 0;
        let after = 0;
        for (;;) {
          signal.throwIfAborted();
          const rows = await unreadRows(deps.ledger.db, migrationId, after, JOB_SIZE * AT_ONCE);
          const last = rows.at(-1);
          if (last === undefined) return { rows: read };
          await allOf(
            chunks(rows, JOB_SIZE).map((some) =>
              guardRows(deps, { migrationId, jobNumber: null }, some, signal),
            ),
          );
          read += rows.length;
          after = last.rowNumber;
        }
      });
    },
  };
}

/** As `Promise.all`, but fails only when all have ended: what the others read is kept. */
async function allOf(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

/** Whose rows are guarded: of a job, or of the whole migration before it has jobs. */
interface Guarded {
  readonly migrationId: string;
  readonly jobNumber: number | null;
}

/**
 * Looks these people up, keeps what Klaviyo holds, and settles the parts that must not or need not
 * be sent. Who is subscribed already is to be put on the run's list instead: by the job where there
 * is one, as all other jobs may have ended by then.
 */
async function guardRows(
  { ledger, klaviyo }: ActivityDependencies,
  { migrationId, jobNumber }: Guarded,
  asked: readonly OpenRow[],
  signal: AbortSignal,
): Promise<void> {
  const { settings } = await getMigration(ledger.db, migrationId);
  const people = await lookUpPeople(
    klaviyo,
    {
      emails: asked.flatMap((row) => row.email ?? []),
      phoneNumbers: asked.flatMap((row) => (needsPhone(row) ? (row.phoneNumber ?? []) : [])),
    },
    signal,
  );
  const rows = asked.filter((row) => people.covers(row));
  const settlements: Settlement[] = [];
  const consented: number[] = [];
  const before = rows.map((row) => {
    const held: Held = {
      byEmail: people.index.byEmail(row.email),
      byPhone: people.index.byPhone(row.phoneNumber),
    };
    const verdicts = row.parts.map((part) => ({
      part,
      verdict: guardPart(part, held, settings.listId),
    }));
    for (const { part, verdict } of verdicts) {
      if (verdict.send) continue;
      const { outcome, reason } = verdict;
      const { rowNumber } = row;
      settlements.push({ rowNumber, channel: part.channel, outcome, reason, evidence: 'guard' });
    }
    if (settings.listId !== null && belongsOnList(row, held, settings.listId, verdicts)) {
      consented.push(row.rowNumber);
    }
    return {
      rowNumber: row.rowNumber,
      oneProfile: mayBeOneProfile(row, held),
      parts: row.parts.map((part) => ({
        channel: part.channel,
        ...consentBefore(part.channel, held),
      })),
    };
  });
  // Together: a row that was read is not read again, so nothing that follows from it may be missing.
  await ledger.db.transaction().execute(async (tx) => {
    await storeConsentBefore(tx, migrationId, before);
    await settleParts(tx, migrationId, settlements);
    await askForMembership(tx, migrationId, consented, jobNumber);
  });
  people.throwIfShort();
}

/**
 * Guards again the rows whose consent was read longer ago than `maxAgeMs`.
 *
 * @param rows unsent: of what was sent, Klaviyo's answer would be read as the state before
 * @returns whether any was guarded again, so that the rows have to be read anew
 */
export async function guardStale(
  deps: ActivityDependencies,
  job: { readonly migrationId: string; readonly jobNumber: number },
  rows: readonly OpenRow[],
  maxAgeMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const oldest = Date.now() - maxAgeMs;
  const stale = rows.filter(
    (row) => row.consentReadAt === null || row.consentReadAt.getTime() < oldest,
  );
  if (stale.length > 0) await guardRows(deps, job, stale, signal);
  return stale.length > 0;
}

/** The phone is looked up where it is asked for, or where it is all that the row has. */
function needsPhone(row: OpenRow): boolean {
  return row.email === null || row.parts.some(({ channel }) => isPhoneChannel(channel));
}

/**
 * Somebody already subscribed of whom nothing will be sent: only a membership gets them onto the
 * list. Whoever said no to any of the row's channels, or to mail at all, is left off it; so is
 * everybody where the address of the row, by which the membership is asked for, is another person's
 * than the number that is subscribed.
 */
function belongsOnList(
  row: OpenRow,
  held: Held,
  listId: string,
  verdicts: readonly { readonly part: OpenPart; readonly verdict: GuardVerdict }[],
): boolean {
  const member = row.email === null ? held.byPhone : held.byEmail;
  const consented = verdicts.every(
    ({ part: { channel }, verdict }) =>
      !verdict.send &&
      verdict.outcome === 'already_consented' &&
      channel !== 'list' &&
      heldFor(channel, held)?.id === member?.id,
  );
  return consented && guardMembership(held, listId).send;
}
