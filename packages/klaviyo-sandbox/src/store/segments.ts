import type { SegmentRule } from '../settings/options.js';
import type { Flow, Tag } from './flows-and-tags.js';
import { Group, GroupStore } from './group.js';

/** A segment: who matches its rule belongs to it, once Klaviyo has noticed. */
export class Segment extends Group {
  /** Who belongs to a segment without a rule, noticed or not. */
  readonly chosen = new Set<number>();
  /** Members are being looked for the first time; nobody shows until then. */
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
