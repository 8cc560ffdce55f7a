import { workflowIds } from '../../contracts/names.js';
import type { SyncInput } from '../../contracts/sync.js';
import type { consentSync } from '../../workflows/index.js';
import { defineSync, listAccounts, listSyncs, type Sync } from '../../ledger/index.js';
import { newId } from '../ids.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { Programs } from '../programs/load.js';
import type { Reach } from '../reach.js';
import { definedSyncs, type DefinedSync } from './defined-syncs.js';
import { deleteSchedule, putSchedule } from '../schedules.js';

/** How a sync differs from what was applied last. `removed`: the file no longer has it. */
export interface SyncChange {
  readonly sync: string;
  readonly accountId: string;
  readonly change: 'none' | 'new' | 'changed' | 'removed';
  /** Settings that differ. */
  readonly keys: readonly string[];
  /** Null if the file no longer has it. */
  readonly of: DefinedSync | null;
}

/**
 * Compares the syncs of a `consentry.yaml` with those of the ledger.
 *
 * @throws SettingsError if it is not clear which account one is for; NoWorkerError
 */
export async function syncChanges(
  reach: Reach,
  { file, secrets }: Programs,
): Promise<SyncChange[]> {
  const known = (await listSyncs(reach.ledger.db)).filter(({ name }) => name !== null);
  const changes: SyncChange[] = [];
  for (const defined of definedSyncs(file, secrets)) {
    const accountId = defined.accountId ?? (await onlyAccount(reach, file.path, defined.name));
    const before = known.find(
      (sync) => sync.name === defined.name && sync.accountId === accountId && isApplied(sync),
    );
    const keys = before === undefined ? [] : differing(before, defined);
    const change = before === undefined ? 'new' : keys.length === 0 ? 'none' : 'changed';
    changes.push({ sync: defined.name, accountId, change, keys, of: defined });
  }
  const accounts = new Set(changes.map(({ accountId }) => accountId));
  for (const { id } of Object.values(file.settings.accounts))
    if (id !== undefined) accounts.add(id);
  for (const sync of known) {
    const isThere = changes.some(
      (each) => each.sync === sync.name && each.accountId === sync.accountId,
    );
    if (isThere || sync.name === null || !isApplied(sync) || !accounts.has(sync.accountId))
      continue;
    const { name, accountId } = sync;
    // Before the others, of which one may take its table.
    changes.unshift({ sync: name, accountId, change: 'removed', keys: [], of: null });
  }
  return changes;
}

/**
 * Defines a sync and its Schedule as the file does. One that the file no longer has runs no more by
 * itself; its table stays.
 *
 * @throws DestinationTakenError, NoWorkerError
 */
export async function applySync(reach: Reach, change: SyncChange): Promise<void> {
  const { db } = reach.ledger;
  if (change.of === null) {
    const sync = (await listSyncs(db)).find(
      ({ name, accountId }) => name === change.sync && accountId === change.accountId,
    );
    if (sync === undefined) return;
    await deleteSchedule(reach.client, workflowIds.sync(sync.id));
    // Another sync may have its table then: `reset` takes it over.
    const destination = `${sync.destination} (no longer, ${sync.id})`;
    await defineSync(db, { ...sync, destination, settings: { ...sync.settings, ...AT_REST } });
    return;
  }
  await defineNamed(reach, change.of, change.accountId);
}

/** Defines a sync of a file in the ledger, and gives it its Schedule. */
export async function defineNamed(
  reach: Reach,
  { name, destination, settings }: DefinedSync,
  accountId: string,
): Promise<Sync> {
  const { db } = reach.ledger;
  const { taskQueue } = await reach.workersOf(accountId);
  const named = { id: newId(), accountId, name, destination };
  const sync = await defineSync(db, { ...named, settings });
  const { every } = settings;
  if (every === null) {
    await deleteSchedule(reach.client, workflowIds.sync(sync.id));
    return sync;
  }
  const id = workflowIds.sync(sync.id);
  const input: SyncInput = {
    syncId: sync.id,
    full: false,
    reset: false,
    isWaitedFor: false,
    runId: null,
  };
  const lateAfterMs = await putSchedule(reach.client, {
    id,
    workflowType: 'consentSync' satisfies typeof consentSync.name,
    args: [input],
    every,
    taskQueue,
    summary: `sync ${name}`,
  });
  if ('everyMs' in every) return sync;
  return defineSync(db, { ...named, settings: { ...settings, lateAfterMs } });
}

/** Of a sync that the file no longer has. */
const AT_REST = { every: null, lateAfterMs: null, notify: null, isRemoved: true } as const;

function isApplied({ settings }: Sync): boolean {
  return settings.isRemoved !== true;
}

function differing(before: Sync, { destination, settings }: DefinedSync): string[] {
  // What follows from the times of a Schedule is no setting of the file.
  const told = ({ lateAfterMs: _, ...rest }: Sync['settings']) => rest;
  const [old, now] = [told(before.settings), told(settings)] as const;
  const keys = (Object.keys(now) as (keyof typeof now)[]).filter(
    (key) => canonical(old[key]) !== canonical(now[key]),
  );
  // Its times were not told to the end.
  const isUnfinished = now.every !== null && before.settings.lateAfterMs === null;
  if (isUnfinished && !keys.includes('every')) keys.push('every');
  const isMoved = before.destination !== destination;
  return isMoved && !keys.includes('to') ? ['to', ...keys] : keys;
}

/** JSON with its keys in order: the ledger does not keep theirs. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

async function onlyAccount(reach: Reach, path: string, sync: string): Promise<string> {
  const known = await listAccounts(reach.ledger.db);
  if (known.length > 1) {
    throw new SettingsError(
      `Workers for ${known.length} Klaviyo accounts use this ledger: say which one syncs.${sync} of ${path} is ` +
        `for, with the id of its account (${[...known].sort().join(', ')}).`,
    );
  }
  return (await reach.workersOf(null)).accountId;
}
