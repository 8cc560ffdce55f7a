import { setTimeout as delay } from 'node:timers/promises';
import type { OptOutWatchInput, OptOutWatchResult } from '../../contracts/migration.js';
import { getMigration } from '../../ledger/index.js';
import type { ActivityDependencies } from '../dependencies.js';
import { stoppingFailure } from '../temporal/failures.js';
import { whileHeartbeating } from '../temporal/heartbeats.js';
import { SentFollower } from './follow.js';
import type { OptOutWatch } from './watch.js';
import { isShortage } from '../look-ups.js';

export function createWatchOptOuts(deps: ActivityDependencies, optOuts: OptOutWatch) {
  const { db } = deps.ledger;
  return {
    /**
     * Watches the people of an ended run while one of its subscribes may still be applied, or an
     * opt-out of that time may still become visible. Unsubscribes those who had opted out.
     */
    async watchOptOuts({ migrationId, timing }: OptOutWatchInput): Promise<OptOutWatchResult> {
      return whileHeartbeating(async (signal) => {
        const migration = await getMigration(db, migrationId);
        const follower = new SentFollower(deps, optOuts, timing);
        for (;;) {
          signal.throwIfAborted();
          try {
            await follower.look(migration, signal);
            if (await follower.isOver(migrationId)) {
              return { unsubscribedAgain: follower.unsubscribed };
            }
          } catch (error) {
            // The next look tries again. A permanent failure is thrown only at the end: until then
            // the known people are still followed.
            const isForGood = stoppingFailure(error) !== null;
            if (isForGood ? await follower.isPast(migrationId) : !isShortage(error)) throw error;
          }
          await delay(timing.readEveryMs, undefined, { signal });
        }
      });
    },
  };
}
