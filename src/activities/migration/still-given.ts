import { keyOfPart, type Entry } from '../../consent/operations/entries.js';
import { OPERATIONS } from '../../consent/operations/index.js';
import type { GuardVerdict } from '../../consent/operations/operation.js';
import { needsPhone, spellingsOf } from '../../consent/judge.js';
import type { Operation } from '../../contracts/channels.js';
import {
  givenToRows,
  settleUnsentParts,
  type Migration,
  type OpenPart,
  type Settlement,
} from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { byKlaviyosClock } from '../klaviyo-time.js';
import { lookUpPeople } from '../look-ups.js';
import type { Metrics } from '../temporal/metrics.js';
import type { Attempt } from './guard-rows.js';
import { readJoined, type ReadOfGiven } from './joined-since.js';

/**
 * The entries of a call with only the parts whose consent is still the one that the program gave, as
 * Klaviyo and the ledger show it now. The others are settled; one whose answer was lost may be out
 * because of that call, so it is left out and read back. Whoever could not be read now stays for the
 * next call. Returns the entries as they are if the run does not take back what its program gave.
 *
 * @throws LimiterBusyError, KlaviyoRateLimitedError, KlaviyoUnavailableError if nobody can be read now
 */
export async function onlyStillGiven(
  deps: ActivityDependencies,
  metrics: Metrics,
  migration: Migration,
  operation: Operation,
  entries: readonly Entry[],
  attempt: Attempt,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const takesBack = operation === 'unsubscribe' || operation === 'suppress';
  if (migration.settings.onlyGiven === undefined || !takesBack) return entries;
  const before = await readGiven(deps, migration, entries, signal);
  const ours = entries.flatMap((entry) =>
    withParts(entry, (part) => before.verdictOf(entry, part).send),
  );
  const joined = await readJoined(deps, metrics, ours, before, signal);
  // Again, since reading that takes seconds: consent is read last.
  const now = await readGiven(deps, migration, entries, signal);
  const settlements: Settlement[] = [];
  const still = entries.flatMap((entry) =>
    withParts(entry, (part) => {
      const verdict = now.verdictOf(entry, part);
      const { rowNumber } = entry;
      const { channel } = part;
      const key = keyOfPart({ rowNumber, channel });
      if (verdict.send && !joined.keys.has(key)) {
        return before.verdictOf(entry, part).send && joined.covers(key);
      }
      const { outcome, reason } = verdict.send ? RENEWED : verdict;
      settlements.push({ rowNumber, channel, outcome, reason, settledBy: 'guard' });
      attempt.leftOut.add(key);
      return false;
    }),
  );
  await settleUnsentParts(deps.ledger.db, migration.id, settlements);
  if (still.length === 0 && settlements.length === 0) joined.throwIfShort();
  return still;
}

const RENEWED = { outcome: 'rejected', reason: 'renewed_elsewhere' } as const;

interface ReadGiven extends ReadOfGiven {
  verdictOf(entry: Entry, part: OpenPart): GuardVerdict;
}

async function readGiven(
  { klaviyo, ledger }: ActivityDependencies,
  migration: Migration,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<ReadGiven> {
  const rowNumbers = entries.map(({ rowNumber }) => rowNumber);
  // The ledger last: it is read within a moment.
  const people = await lookUpPeople(
    klaviyo,
    {
      emails: entries.flatMap(spellingsOf),
      phoneNumbers: entries.flatMap((entry) =>
        needsPhone(entry) ? (entry.phoneNumber ?? []) : [],
      ),
    },
    signal,
  );
  people.throwIfShort();
  const given = await givenToRows(ledger.db, migration, rowNumbers);
  const run = { ...migration.settings, startedAt: byKlaviyosClock(klaviyo, migration.askedAt) };
  return {
    given,
    people,
    verdictOf(entry, { channel, operation }) {
      const held = people.index.heldFor(entry);
      const known = { held, optOuts: [], given: given.get(entry.rowNumber) };
      return OPERATIONS[operation].guard(channel, known, run);
    },
  };
}

function withParts(entry: Entry, isKept: (part: OpenPart) => boolean): Entry[] {
  const parts = entry.parts.filter(isKept);
  return parts.length === 0 ? [] : [{ ...entry, parts }];
}
