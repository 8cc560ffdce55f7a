import type { TruthLine } from 'klaviyo-sandbox';

/** @throws RangeError as the sandbox does for what somebody cannot do */
export function mailOf({ email }: TruthLine): { email: string } {
  if (email === null) throw new RangeError('no address');
  return { email };
}

export function numberOf({ phone_number: number }: TruthLine): { phone_number: string } {
  if (number === null) throw new RangeError('no number');
  return { phone_number: number };
}
