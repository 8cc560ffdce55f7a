import {
  NO_COUNTS,
  sumOf,
  type SyncCounts,
  type SyncStep,
  type SyncTurn,
} from '../../contracts/sync.js';
import type { SyncDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { WholeLists } from './lists/whole-lists.js';
import { readProfile, type ReadProfile } from './profiles-of.js';
import { withSession, type SyncSession } from './session.js';
import { Sinks } from './sinks.js';
import { WindowReader, type WindowSource } from './window-reader.js';
import { profilesLeft } from './windows.js';

/** A turn ends after this long, so that the workflow can tell how far it is. */
const TURN_MS = 60_000;

export function createReadAccount(deps: SyncDependencies) {
  return {
    /**
     * Reads on in the windows of the marker, for a minute; then the lists, if the sync writes who is on
     * them. What was read is written together with what is left: a turn that is repeated goes on where
     * the last one wrote.
     */
    async readAccount(step: SyncStep): Promise<SyncTurn> {
      return whileHeartbeating((signal) =>
        withSession(deps, step, async (session) => {
          const endsAt = performance.now() + TURN_MS;
          const isOver = (): boolean => performance.now() >= endsAt;
          const lists = new WholeLists(deps, session, step, signal);
          const counts = sumOf(
            await readProfiles(deps, session, step, signal, isOver),
            await lists.read(isOver),
          );
          const profiles = session.state.reading?.windows ?? [];
          const windows = [...profiles, ...lists.windows];
          return {
            ...counts,
            isOver: profiles.length === 0 && lists.isOver,
            windows: windows.length,
            left: profiles.length === 0 ? null : profilesLeft(windows),
          };
        }),
      );
    },
  };
}

async function readProfiles(
  deps: SyncDependencies,
  session: SyncSession,
  { runId }: SyncStep,
  signal: AbortSignal,
  isOver: () => boolean,
): Promise<SyncCounts> {
  const { reading } = session.state;
  if (reading === null) return NO_COUNTS;
  const sinks = new Sinks(deps, session, runId, signal);
  const noticedBy = reading.whole === 'first' ? 'first_run' : 'sweep';
  const reader = new WindowReader(profileSource(deps), reading.windows);
  // While the destination writes a batch, the mirror writes the next.
  let writing = Promise.resolve(NO_COUNTS);
  try {
    for await (const { windows, pages } of reader.pages(signal, isOver)) {
      const profiles = pages.map(({ items, beganMs }) => ({ profiles: items, beganMs }));
      await sinks.remember(profiles);
      const counts = await writing;
      const newly = profiles.reduce((sum, page) => sum + page.profiles.length, 0);
      const { state } = session;
      const read = (state.reading?.read ?? 0) + newly;
      const next = { ...state, reading: { ...reading, windows: [...windows], read } };
      writing = sinks
        .writeRemembered(profiles, noticedBy, next)
        .then((written) => sumOf(counts, written));
      // It is awaited after the next batch, and fails there.
      writing.catch(() => undefined);
    }
    return await writing;
  } finally {
    await Promise.allSettled([writing]);
  }
}

function profileSource({ klaviyo }: Pick<SyncDependencies, 'klaviyo'>): WindowSource<ReadProfile> {
  return {
    async read(page, signal) {
      const { profiles, next } = await klaviyo.readProfiles({ by: 'created', ...page }, { signal });
      return { items: profiles.map(readProfile), next };
    },
    dateOf: ({ created }) => created,
  };
}
