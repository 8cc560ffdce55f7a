import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long other work waits for its turn, in real ms. */
export const TURN_MS = 15;

/** Runs `effect` for each item, and lets other work run in between. Returns the number of items. */
export async function inTurns<Thing>(
  things: Iterable<Thing>,
  effect: (thing: Thing) => void,
): Promise<number> {
  let done = 0;
  let ends = performance.now() + TURN_MS;
  for (const thing of things) {
    effect(thing);
    done += 1;
    if (performance.now() < ends) continue;
    await nextTurn();
    ends = performance.now() + TURN_MS;
  }
  return done;
}
