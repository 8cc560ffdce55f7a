import type { ConsentChannel } from './channels.js';
import type { Reason } from './outcomes.js';

/**
 * What becomes of whoever leaves a segment, from the least to the most: nothing; they leave its list; the
 * consent that the program gave is taken back as well; or, instead of that, the address is suppressed.
 */
export const LEAVE_DOES = ['nothing', 'remove_from_list', 'unsubscribe', 'suppress'] as const;
/** What becomes of whoever leaves a segment: one of `LEAVE_DOES`. */
export type LeaveDoes = (typeof LEAVE_DOES)[number];

/** How long somebody has to be missing before they leave: late loads look like leaving. */
export type Grace = { readonly runs: number } | { readonly ms: number };

/** What becomes of whoever leaves a segment, and when. */
export interface Leave {
  readonly does: LeaveDoes;
  /** Also of those whose consent is not certainly from this program alone. Absent: not of them. */
  readonly all?: true;
  readonly after: Grace;
}

/** A run that would do more than this stops before anything is sent. */
export interface Brake {
  /** Part of the people who were in the segment before, from 0 to 1. */
  readonly share: number;
  readonly people: number;
}

/** What a run of a segment is, besides the settings of its program. */
export interface SegmentSettings {
  /** Column of the source that tells people apart. */
  readonly key: string;
  readonly leave: Leave;
  readonly brakes: { readonly enter: Brake; readonly leave: Brake };
}

/** A segment of an account, and what is done about its people. */
export interface SegmentDefinition extends SegmentSettings {
  readonly accountId: string;
  readonly program: string;
  /** SHA-256 of what its people are and of what tells them apart. */
  readonly hash: string;
  readonly channels: readonly ConsentChannel[];
  /** Klaviyo's id of the list; null for none. */
  readonly listId: string | null;
  /** Days before somebody who has not clicked is asked again. */
  readonly askAgainDays: number;
}

/** What a comparison of a segment with its source found, in people. */
export interface SegmentFound {
  /** In the source. */
  readonly people: number;
  /** In the segment before. */
  readonly before: number;
  /** The segment did not have them, by any address or number. */
  readonly entering: number;
  /** Asked by an address or number that the segment did not have: most of those who enter, and others. */
  readonly asked: number;
  readonly leaving: number;
  /** Missing, but not for long enough. */
  readonly missing: number;
  /** Missing since the segment began anew: they stay. */
  readonly kept: number;
  /** In the segment with another address or number than before. */
  readonly changed: number;
  /** Tried again. */
  readonly triedAgain: number;
  /** It is the first comparison, or its query or key is another one: nobody leaves. */
  readonly isBaseline: boolean;
  /** Parts that the source says nothing usable of, by reason. */
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
  /** Only of a program whose `leave` suppresses, or ends consent of anybody. */
  readonly blunt?: BluntLeave;
}

/** Who is taken out further than a person who joined elsewhere may expect. */
export interface BluntLeave {
  readonly does: 'unsubscribe' | 'suppress';
  /** Whoever gave their consent. */
  readonly all: boolean;
  /** Who leave in this run by a channel that it ends. */
  readonly people: number;
  /** Those of them whose consent, as far as the ledger knows, is not from this program alone. */
  readonly others: number;
}

const number = new Intl.NumberFormat('en-US');

/** What people have to know of such a leave before they let it happen. */
export function bluntWords({ does, all, people, others }: BluntLeave): string {
  const isDone = does === 'suppress' ? 'suppressed' : 'unsubscribed';
  const count = `${number.format(people)} in this run, ${number.format(others)} of them with consent that is not certainly from this program alone`;
  const forever =
    does === 'suppress'
      ? 'Klaviyo sends no e-mail at all to whoever is suppressed.'
      : 'It cannot be taken back: only they themselves can consent again.';
  return all
    ? `WARNING: whoever leaves is ${isDone}, whoever gave their consent: ${count}. ${forever}`
    : `WARNING: whoever leaves is ${isDone}: ${count}, and these only leave the list. ${forever}`;
}

/** How many count as entering: also those who only have another address, since a broken join may give everybody that of somebody else. */
export function enteringOf({ entering, asked }: SegmentFound): number {
  return Math.max(entering, asked);
}
