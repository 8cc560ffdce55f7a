import { createHmac, timingSafeEqual } from 'node:crypto';

/** What Klaviyo signs, and how. */
export interface Signed {
  /** The bytes as they came: JSON that is written anew is signed otherwise. */
  readonly body: Buffer;
  /** The header `Klaviyo-Timestamp` as it came. Its clock may be hours wrong: it is no date to rely on. */
  readonly timestamp: string;
  /** The header `Klaviyo-Signature`: HMAC-SHA256 of the body followed by the timestamp, in hex. */
  readonly signature: string;
}

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/** Whether somebody who knows the secret signed it. */
export function isSignedWith(secret: string, { body, timestamp, signature }: Signed): boolean {
  if (!HEX_SHA256.test(signature)) return false;
  // Node reads each byte of a header as one character.
  const expected = createHmac('sha256', secret).update(body).update(timestamp, 'latin1').digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}
