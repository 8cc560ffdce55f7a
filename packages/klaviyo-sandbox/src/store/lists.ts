import type { OptIn } from '../settings/options.js';
import type { Flow, Tag } from './flows-and-tags.js';
import { Group, GroupStore } from './group.js';

/** A list: people are added to it, or subscribe to it. */
export class List extends Group {
  constructor(
    id: string,
    name: string,
    public optIn: OptIn,
    /** Epoch ms. */
    created: number,
    flows: readonly Flow[],
    tags: readonly Tag[],
  ) {
    super(id, name, created, flows, tags);
  }
}

export class ListStore extends GroupStore<List> {}
