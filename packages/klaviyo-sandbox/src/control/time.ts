import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SandboxAccount } from '../account/account.js';
import { bodyOf, checkFields, type ControlApp } from './body.js';
import { TURN_MS } from './turns.js';

/** Klaviyo's time. */
export function addTimeRoutes(app: ControlApp, account: SandboxAccount): void {
  let before = Promise.resolve();
  app.post('/clock/advance', async (context) => {
    const body = await bodyOf<{ ms: number }>(context);
    checkFields(body, ['ms']);
    const { ms } = body;
    if (!(typeof ms === 'number' && ms >= 0)) {
      throw new RangeError(`ms must be a number from 0, got ${String(ms)}`);
    }
    // Calls run one after the other: two at once skip the sum of both.
    before = before.then(() => advanceInTurns(account, ms));
    await before;
    return context.json({});
  });
}

/** Skips time like `account.advance`, but lets requests through while a lot is due. */
async function advanceInTurns({ clock, scheduler }: SandboxAccount, ms: number): Promise<void> {
  const end = clock.in(ms);
  for (;;) {
    const reached = scheduler.runUntil(end, TURN_MS);
    clock.advanceTo(reached);
    if (reached === end) return;
    await nextTurn();
  }
}
