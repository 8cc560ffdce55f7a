import { NO_COUNTS, sumOf, type SyncStep, type SyncTurn } from '../../contracts/sync.js';
import type { SyncDependencies } from '../dependencies.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { AccountReader } from './account-reader.js';
import { withSession } from './session.js';
import type { ReadPage } from './profiles-of.js';
import { Sinks } from './sinks.js';
import { profilesLeft } from './windows.js';

/** A turn ends after this long, so that the workflow can tell how far it is. */
const TURN_MS = 60_000;

export function createReadAccount(deps: SyncDependencies) {
  return {
    /**
     * Reads on in the windows of the marker, for a minute. What was read is written together with
     * the windows that are left: a turn that is repeated goes on where the last one wrote.
     */
    async readAccount(step: SyncStep): Promise<SyncTurn> {
      return whileHeartbeating((signal) =>
        withSession(deps, step, async (session) => {
          const sinks = new Sinks(deps, session, step.runId, signal);
          const { reading } = session.state;
          if (reading === null) return { ...NO_COUNTS, isOver: true, windows: 0, left: 0 };
          const endsAt = performance.now() + TURN_MS;
          const noticedBy = reading.whole === 'first' ? 'first_run' : 'sweep';
          const reader = new AccountReader(deps.klaviyo, reading.windows);
          let counts = NO_COUNTS;
          for await (const { windows, pages } of reader.pages(
            signal,
            () => performance.now() >= endsAt,
          )) {
            const { state } = session;
            const read = (state.reading?.read ?? 0) + profilesOf(pages);
            const next = { ...state, reading: { ...reading, windows: [...windows], read } };
            counts = sumOf(counts, await sinks.write(pages, noticedBy, next));
          }
          const windows = session.state.reading?.windows ?? [];
          return {
            ...counts,
            isOver: windows.length === 0,
            windows: windows.length,
            left: profilesLeft(windows),
          };
        }),
      );
    },
  };
}

function profilesOf(pages: readonly ReadPage[]): number {
  return pages.reduce((sum, { profiles }) => sum + profiles.length, 0);
}
