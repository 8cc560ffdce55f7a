import { chance, shortId } from '../../chance/chance.js';
import { delayWithin } from '../../settings/delays.js';
import type { SegmentOptions } from '../../settings/options.js';
import { Segment } from '../../store/segments.js';
import type { Core } from '../core.js';
import { checkFlag, checkName, type Labels } from './labels.js';
import { checkRule, follows } from './segment-rule.js';

/** Profiles that are evaluated together, some time after they changed. */
interface Round {
  /** On the clock's `now`: a later change waits for the next round. */
  readonly closes: number;
  readonly profiles: number[];
}

/** On 2026-03-27 they were up to two and a half hours behind. */
const HOURS_BEHIND_MS = 2.5 * 3_600_000;

/** People who are moved by hand: numbers of profiles. */
export interface Moves {
  enter?: readonly number[];
  leave?: readonly number[];
}

/** Keeps the members of segments up to date, with Klaviyo's delays. */
export class Segmenting {
  readonly #rounds = new Map<Segment, Round>();
  /** Segments whose members follow changes of profiles. */
  #followed: readonly Segment[] = [];
  #made = 0;

  constructor(
    private readonly core: Core,
    private readonly labels: Labels,
  ) {
    core.profiles.onChange((index) => this.#changed(index));
  }

  /** A segment that already exists, with all members. @throws RangeError as `create` */
  open(options: SegmentOptions): Segment {
    const segment = this.#add(options);
    this.#fill(segment);
    return segment;
  }

  /**
   * A new segment: it has no members before the `segment` delay is over.
   *
   * @throws RangeError if the id is taken, or an option is invalid
   */
  create(options: SegmentOptions): Segment {
    const segment = this.#add(options);
    if (!segment.isActive) return segment;
    segment.isProcessing = true;
    const { delays, seed } = this.core.settings;
    const wait = delayWithin(delays.segment, seed, 'segment', segment.id) + this.#behindMs();
    this.core.scheduler.at(this.core.clock.in(wait), () => this.#fill(segment));
    return segment;
  }

  /**
   * Sets who belongs to a segment without a rule. It shows after the `segmentMember` delay.
   *
   * @throws RangeError for an unknown segment, one that has a rule, or an inactive one
   */
  move(id: string, { enter = [], leave = [] }: Moves): void {
    const segment = this.#known(id);
    if (segment.rule !== null) {
      throw new RangeError(`segment "${id}" has a rule: change the profiles instead`);
    }
    if (!segment.isActive) throw new RangeError(`segment "${id}" is inactive: nobody moves`);
    for (const index of enter) segment.chosen.add(index);
    for (const index of leave) segment.chosen.delete(index);
    for (const index of [...enter, ...leave]) this.#look(segment, index);
  }

  /** @throws RangeError for an unknown segment */
  delete(id: string): void {
    this.#rounds.delete(this.#known(id));
    this.core.segments.remove(id);
    this.#followed = this.core.segments.all();
  }

  #add(options: SegmentOptions): Segment {
    const { name, is_active = true, is_starred = false, where, flows = [], tags = [] } = options;
    checkName('a segment', name);
    checkFlag('is_active', is_active);
    checkFlag('is_starred', is_starred);
    if (where !== undefined) checkRule(where);
    const id = options.id ?? this.#freeId();
    if (this.core.segments.get(id) !== undefined) throw new RangeError(`segment "${id}" exists`);
    const now = this.core.clock.wall();
    const labels = [this.labels.flows(flows, now), this.labels.tags(tags)] as const;
    const segment = new Segment(id, name, now, ...labels, where ?? null, is_active, is_starred);
    this.core.segments.add(segment);
    this.#followed = this.core.segments.all();
    return segment;
  }

  #freeId(): string {
    let id: string;
    do {
      id = shortId(this.core.settings.seed, 'segment', String(this.#made));
      this.#made += 1;
    } while (this.core.segments.get(id) !== undefined);
    return id;
  }

  #known(id: string): Segment {
    const segment = this.core.segments.get(id);
    if (segment === undefined) throw new RangeError(`there is no segment "${id}"`);
    return segment;
  }

  #fill(segment: Segment): void {
    segment.isProcessing = false;
    if (!segment.isActive) return;
    const candidates = segment.rule === null ? segment.chosen : this.core.profiles.all();
    this.#settle(segment, candidates);
  }

  #changed(index: number): void {
    for (const segment of this.#followed) {
      if (!this.core.profiles.isAlive(index)) {
        segment.chosen.delete(index);
        segment.leave(index);
      } else if (segment.rule !== null && this.#belongs(segment, index) !== segment.has(index)) {
        this.#look(segment, index);
      }
    }
  }

  #belongs(segment: Segment, index: number): boolean {
    const { profiles } = this.core;
    if (!profiles.isAlive(index)) return false;
    return segment.rule === null
      ? segment.chosen.has(index)
      : follows(segment.rule, profiles, index);
  }

  /** Evaluates the profile in the segment's next round. */
  #look(segment: Segment, index: number): void {
    if (!segment.isActive || segment.isProcessing) return;
    const round = this.#rounds.get(segment);
    if (round !== undefined && this.core.clock.now() <= round.closes) {
      round.profiles.push(index);
    } else {
      this.#rounds.set(segment, this.#newRound(segment, index));
    }
  }

  /**
   * A round collects the changes of a quarter of the delay's span, so that a million changes do not
   * need a million timers; each one shows within the delay's limits.
   */
  #newRound(segment: Segment, first: number): Round {
    const { clock, scheduler, settings } = this.core;
    const [shortest, longest] = settings.delays.segmentMember;
    const open = (longest - shortest) / 4;
    const luck = chance(settings.seed, 'segmentMember', segment.id, String(first));
    const wait = shortest + open + (longest - shortest - open) * luck + this.#behindMs();
    const round: Round = { closes: clock.in(open), profiles: [first] };
    scheduler.at(clock.in(wait), () => this.#settle(segment, round.profiles));
    return round;
  }

  #behindMs(): number {
    const { segmentMembers } = this.core.settings.switches;
    return segmentMembers === 'hours_behind' ? HOURS_BEHIND_MS : 0;
  }

  #settle(segment: Segment, profiles: Iterable<number>): void {
    const now = this.core.clock.wall();
    for (const index of profiles) {
      if (this.#belongs(segment, index)) segment.join(index, now);
      else segment.leave(index);
    }
  }
}
