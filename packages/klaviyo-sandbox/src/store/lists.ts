import type { OptIn } from '../settings/options.js';
import type { Flow, Tag } from './flows-and-tags.js';
import { Group, GroupStore } from './group.js';

/** A list: people are added to it, or subscribe to it. */
export class List extends Group {
  /** Names that it had, the oldest first; `until` in epoch ms. */
  readonly #former: { readonly name: string; readonly until: number }[] = [];

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

  rename(name: string, now: number): void {
    if (name === this.name) return;
    this.#former.push({ name: this.name, until: now });
    this.name = name;
  }

  /** @param time epoch ms */
  nameAt(time: number): string {
    return this.#former.find(({ until }) => time < until)?.name ?? this.name;
  }
}

export class ListStore extends GroupStore<List> {}
