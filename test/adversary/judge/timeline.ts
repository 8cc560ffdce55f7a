import type { ConsentChangeLine, TruthLine } from 'klaviyo-sandbox';
import type { AccountChronicle, Said } from '../chronicle.js';

export type JudgedChannel = 'email' | 'sms';

/** Something that a person said about a channel, by themselves or through a row that was sent. */
export interface Word {
  readonly at: number;
  readonly says: 'yes' | 'no';
  /** The one list that it is about; null where it is about the whole channel. */
  readonly listId: string | null;
  /** Klaviyo takes a moment to apply it. */
  readonly byClick: boolean;
  /** For messages of the oracle. */
  readonly how: string;
  /** From when on a run was asked to lift it; a suppression by hand that was made before. */
  readonly liftedFrom?: number;
}

/** How one channel of one profile stood from a time on. */
export interface State {
  readonly at: number;
  readonly profileId: string;
  readonly consent: string;
  readonly suppressions: readonly string[];
  readonly listSuppressions: readonly string[];
}

/** Who is subscribed and gets what is sent. */
export const isReached = (state: State): boolean =>
  state.consent === 'SUBSCRIBED' && state.suppressions.length === 0;

export const isOut = (state: State): boolean =>
  state.consent === 'UNSUBSCRIBED' || state.suppressions.length > 0;

/** A click and an opt-out within that time come in either order. */
const CLICK_TAKES_MS = 250;

/** What happened to one channel of one person. */
export class Timeline {
  private constructor(
    readonly words: readonly Word[],
    /** Of every profile with the identifier, oldest first; the first of each is from before. */
    readonly states: readonly State[],
  ) {}

  static of(
    account: AccountChronicle,
    place: number,
    said: readonly Said[],
    channel: JudgedChannel,
    identifier: string,
    lifts: readonly number[] = [],
  ): Timeline {
    const key = channel === 'email' ? 'email.marketing' : 'sms.marketing';
    const isTheirs = (who: { email: string | null; phone_number: string | null }) =>
      (channel === 'email' ? who.email?.toLowerCase() : who.phone_number) === identifier;
    const states = account.before.filter(isTheirs).map((line) => stateBefore(line, channel));
    const words: Word[] = states.flatMap((state) => wordsOf(null, state, null));
    const known = new Map(states.map((state) => [state.profileId, state]));
    for (const line of account.changes) {
      if (line.channel !== key || !isTheirs(line)) continue;
      const state = stateAfter(line);
      words.push(...wordsOf(known.get(state.profileId) ?? null, state, line.method));
      known.set(state.profileId, state);
      states.push(state);
    }
    for (const yes of said) {
      if (yes.account !== place || yes.channel !== channel || yes.identifier !== identifier)
        continue;
      words.push({
        at: yes.at,
        says: 'yes',
        listId: null,
        byClick: yes.byClick,
        how: 'by themselves',
      });
    }
    return new Timeline(
      words.map((word) => withLift(word, lifts)).sort((a, b) => a.at - b.at),
      states,
    );
  }

  /**
   * The no that counts at a time: one that no yes of the person follows. A yes is about every list.
   *
   * @param ageMs it was said at least so long before
   */
  noAt(time: number, listId: string | null, ageMs = 0): Word | null {
    let no: Word | null = null;
    for (const word of this.words) {
      if (word.at > time) break;
      if (word.liftedFrom !== undefined && time >= word.liftedFrom) continue;
      if (word.says === 'yes') {
        no = null;
        continue;
      }
      if (word.listId !== null && word.listId !== listId) continue;
      const follows = this.words.some(
        (yes) => yes.byClick && Math.abs(yes.at - word.at) < CLICK_TAKES_MS,
      );
      if (word.at <= time - ageMs && !follows) no = word;
    }
    return no;
  }

  /** States that held at some time from `from` to `to`. */
  during(from: number, to: number): State[] {
    return this.states.filter((state, n) => {
      if (state.at > to) return false;
      const next = this.states.slice(n + 1).find(({ profileId }) => profileId === state.profileId);
      return next === undefined || next.at >= from;
    });
  }

  /** When the profile came to be as reached as it was at the end; null where it was from the start. */
  reachedSince(profileId: string): number | null {
    let since: number | null = null;
    let reached: boolean | null = null;
    for (const state of this.states) {
      if (state.profileId !== profileId) continue;
      const now = isReached(state);
      if (now && reached !== true) since = state.at;
      reached = now;
    }
    return since === -Infinity ? null : since;
  }

  /** When the profile's leaving of a list was last lifted; null where it never was. */
  backOnListAt(profileId: string, listId: string): number | null {
    let at: number | null = null;
    let hasLeft = false;
    for (const state of this.states) {
      if (state.profileId !== profileId) continue;
      const leaves = state.listSuppressions.includes(listId);
      if (hasLeft && !leaves) at = state.at;
      hasLeft = leaves;
    }
    return at;
  }

  /** When it was lifted that Klaviyo shows of a no, before that time; null where it shows it then. */
  liftedAt(no: Word, time: number): number | null {
    const shows = (state: State) =>
      no.listId === null ? isOut(state) : state.listSuppressions.includes(no.listId);
    if (this.during(time, time).some(shows)) return null;
    const lifting = this.states.find(
      (state) => state.at > no.at && state.at <= time && !shows(state),
    );
    return lifting?.at ?? null;
  }

  /** For how long somebody was reached against a no of theirs, ms each. */
  exposures(listId: string | null): number[] {
    const exposed: number[] = [];
    for (const id of new Set(this.states.map(({ profileId }) => profileId))) {
      const own = this.states.filter(({ profileId }) => profileId === id);
      own.forEach((state, n) => {
        const before = own[n - 1];
        const became = isReached(state) && (before === undefined || !isReached(before));
        if (!became || state.at === -Infinity || this.noAt(state.at, listId) === null) return;
        const end = own.slice(n + 1).find((later) => !isReached(later));
        const yes = this.words.find(({ at, says }) => says === 'yes' && at >= state.at);
        const until = Math.min(end?.at ?? Infinity, yes?.at ?? Infinity);
        // Whoever stays so to the end is another rule's.
        if (until !== Infinity) exposed.push(until - state.at);
      });
    }
    return exposed;
  }
}

/** Klaviyo shows a suppression by hand that much later than its date at most. */
const SURFACES_WITHIN_MS = 2_500;

/** @param lifts when runs were started that lift the person's suppression by hand */
function withLift(word: Word, lifts: readonly number[]): Word {
  if (word.how !== 'USER_SUPPRESSED') return word;
  const lifting = lifts.filter((at) => word.at - SURFACES_WITHIN_MS <= at);
  return lifting.length === 0 ? word : { ...word, liftedFrom: Math.min(...lifting) };
}

function wordsOf(before: State | null, state: State, method: string | null): Word[] {
  const words: Word[] = [];
  const no = { at: state.at, says: 'no', byClick: false } as const;
  const isNew = (had: readonly string[] | undefined, has: readonly string[]) =>
    has.filter((one) => !(had ?? []).includes(one));
  if (state.consent === 'UNSUBSCRIBED' && before?.consent !== 'UNSUBSCRIBED') {
    words.push({ ...no, listId: null, how: `unsubscribed (${method ?? 'before'})` });
  }
  for (const reason of isNew(before?.suppressions, state.suppressions)) {
    words.push({ ...no, listId: null, how: reason });
  }
  for (const listId of isNew(before?.listSuppressions, state.listSuppressions)) {
    words.push({ ...no, listId, how: `left ${listId}` });
  }
  return words;
}

function stateBefore(line: TruthLine, channel: JudgedChannel): State {
  const { email, sms } = line.subscriptions;
  return {
    at: -Infinity,
    profileId: line.id,
    consent: channel === 'email' ? email.marketing.consent : sms.marketing.consent,
    suppressions:
      channel === 'email' ? email.marketing.suppression.map(({ reason }) => reason) : [],
    listSuppressions:
      channel === 'email' ? email.marketing.list_suppressions.map(({ list_id }) => list_id) : [],
  };
}

function stateAfter(line: ConsentChangeLine): State {
  return {
    at: line.at,
    profileId: line.profile_id,
    consent: line.consent,
    suppressions: line.suppressions,
    listSuppressions: line.list_suppressions,
  };
}
