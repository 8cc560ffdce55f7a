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
     * Watches the people of an ended run for as long as one of its subscribes may still be applied, or
     * an opt-out of that time may still surface, and takes out again who had said no.
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
            // Tried again at the next look; whoever waits for this sees the retries of the client. What
            // no retry mends is said at the end: until then whoever is known is followed all the same.
            const isForGood = stoppingFailure(error) !== null;
            if (isForGood ? await follower.isPast(migrationId) : !isShortage(error)) throw error;
          }
          await delay(timing.readEveryMs, undefined, { signal });
        }
      });
    },
  };
}
