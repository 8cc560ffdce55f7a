import { setTimeout as delay } from 'node:timers/promises';
import type { Account, KlaviyoClient } from '../../klaviyo/index.js';
import { isShortage } from '../look-ups.js';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The account that the client's key belongs to. Retries while Klaviyo does not answer.
 *
 * @param onWait called with the reason before each retry
 * @throws KlaviyoKeyRefusedError, KlaviyoScopeMissingError: such a key must not take any work
 */
export async function proveKey(
  klaviyo: Pick<KlaviyoClient, 'getAccount'>,
  onWait: (why: string) => void,
  signal?: AbortSignal,
): Promise<Account> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await klaviyo.getAccount(signal === undefined ? {} : { signal });
    } catch (error) {
      if (!isShortage(error)) throw error;
      onWait(error.message);
      await delay(Math.max(pauseMs, error.retryAfterMs ?? 0), undefined, { signal });
    }
  }
}
