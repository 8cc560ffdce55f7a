import type { Core } from '../core.js';
import type { NewPushToken } from './subscribe-row.js';

const KEY = 'mobile_push.marketing';
const OPEN: ReadonlySet<string> = new Set(['AUTHORIZED', 'PROVISIONAL']);
const SHUT: ReadonlySet<string> = new Set(['DENIED', 'UNAUTHORIZED']);

/**
 * Devices that were registered without a subscribe call.
 *
 * It is documented that consent to push follows the device's permission, but not how. The sandbox's
 * choice: one device that allows messages is consent; if all refuse them, consent is removed; a
 * device that has not asked yet says nothing. `background` only concerns silent messages.
 */
export class PushTokens {
  constructor(private readonly core: Core) {}

  register(index: number, token: NewPushToken): void {
    const { profiles, book, clock } = this.core;
    const now = clock.wall();
    profiles.pushTokens.set(index, { ...token, created: now, recorded: now });
    const permissions = profiles.pushTokens.of(index).map(({ enablement }) => enablement);
    if (permissions.some((permission) => OPEN.has(permission))) {
      book.subscribe(index, { key: KEY, consentedAt: null, customSource: null, confirmed: false });
    } else if (permissions.every((permission) => SHUT.has(permission))) {
      book.unsubscribe(index, KEY, 'API', false);
    }
    profiles.touch(index, now);
  }
}
