import type { Clock } from '../clock.js';
import type { Settings } from '../options.js';
import type { Scheduler } from '../scheduler.js';
import type { ListStore } from '../store/lists.js';
import type { ProfileStore } from '../store/profiles.js';
import type { SegmentStore } from '../store/segments.js';
import type { ConsentBook } from './consent.js';
import type { Identities } from './identity.js';
import type { Journal } from './journal.js';
import type { Losses } from './mishaps/losses.js';
import type { Texting } from './texting.js';

/** What every department of the account works with. */
export interface Core {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly profiles: ProfileStore;
  readonly lists: ListStore;
  readonly segments: SegmentStore;
  /** Subscription events. */
  readonly journal: Journal;
  readonly book: ConsentBook;
  readonly identities: Identities;
  /** What is accepted and never carried out. */
  readonly losses: Losses;
  /** SMS set-up and senders. */
  readonly texting: Texting;
}
