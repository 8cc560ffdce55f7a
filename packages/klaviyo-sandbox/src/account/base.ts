import type { Clock } from '../time/clock.js';
import type { Settings } from '../settings/options.js';
import type { Scheduler } from '../time/scheduler.js';
import type { ListStore } from '../store/lists.js';
import type { ProfileStore } from '../store/profiles.js';
import type { SegmentStore } from '../store/segments.js';
import type { ConsentBook } from './consent/consent.js';
import type { Journal } from './events/journal.js';

/** What the account knows and what time it is, shared by all of its parts. */
export interface Base {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly profiles: ProfileStore;
  readonly lists: ListStore;
  readonly segments: SegmentStore;
  /** Subscription events. */
  readonly journal: Journal;
  readonly book: ConsentBook;
}
