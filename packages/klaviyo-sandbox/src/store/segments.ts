import type { SegmentRule } from '../settings/options.js';
import type { Flow, Tag } from './flows-and-tags.js';
import { Group, GroupStore } from './group.js';

/** A segment: people who match its rule belong to it, once Klaviyo has evaluated them. */
export class Segment extends Group {
  /** The people of a segment without a rule, evaluated or not. */
  readonly chosen = new Set<number>();
  /** Whether members are being evaluated for the first time; it shows nobody until then. */
  isProcessing = false;

  constructor(
    id: string,
    name: string,
    /** Epoch ms. */
    created: number,
    flows: readonly Flow[],
    tags: readonly Tag[],
    /** Null for a segment whose members are chosen by hand. */
    readonly rule: SegmentRule | null,
    /** An inactive segment never changes. */
    readonly isActive: boolean,
    readonly isStarred: boolean,
  ) {
    super(id, name, created, flows, tags);
  }
}

export class SegmentStore extends GroupStore<Segment> {}
