import type { ConsentKey } from '../../store/channel.js';
import type { PushToken } from '../../store/push-tokens.js';
import type { Identifiers } from '../profiles/identity.js';

export interface Grant {
  key: ConsentKey;
  /** Epoch ms; null for consent given now. */
  consentedAt: number | null;
}

/** A push token as sent in a call, not dated yet. */
export type NewPushToken = Omit<PushToken, 'created' | 'recorded'>;

/** One row of an accepted subscribe call, after the checks. */
export interface SubscribeRow {
  identifiers: Identifiers;
  grants: readonly Grant[];
  /** Registered with the consent to push. */
  tokens: readonly NewPushToken[];
}
