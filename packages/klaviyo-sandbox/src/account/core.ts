import type { Base } from './base.js';
import type { Identities } from './profiles/identity.js';
import type { Losses } from './mishaps/losses.js';
import type { Texting } from './texting/texting.js';

/** What every part of the account works with. */
export interface Core extends Base {
  readonly identities: Identities;
  /** What is accepted and never carried out. */
  readonly losses: Losses;
  /** SMS set-up and senders. */
  readonly texting: Texting;
}
