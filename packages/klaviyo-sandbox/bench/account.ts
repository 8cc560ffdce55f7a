import type { SandboxAccount, SandboxOptions } from '../src/index.js';

/** The list that six of ten subscribed people are on. */
export const NEWSLETTER = 'Letter';
/** A list that only the benchmark's own people join. */
export const TILL = 'Till';
/** The segment of all who consent to texts. */
export const TEXTED = 'Texted';

/** Delays are Klaviyo's: nothing takes effect before time is skipped. */
export const OPTIONS: SandboxOptions = {
  lists: [NEWSLETTER, TILL].map((id) => ({ id, name: id, opt_in_process: 'single_opt_in' })),
  segments: [{ id: TEXTED, name: 'Texted', where: { consent: 'sms.marketing', is: 'SUBSCRIBED' } }],
};

/** The sandbox's own made-up people, in one go. */
export function fill(account: SandboxAccount, profiles: number): void {
  for (const person of account.invent({ profiles, lists: [NEWSLETTER] })) account.seed(person);
}

/** Address of profile `i`, or of the next one that has one. */
export function knownEmail({ profiles }: SandboxAccount, i: number): string {
  for (const index of profiles.from(i % profiles.end)) {
    const email = profiles.email(index);
    if (email !== null) return email;
  }
  throw new RangeError('nobody has an address');
}
