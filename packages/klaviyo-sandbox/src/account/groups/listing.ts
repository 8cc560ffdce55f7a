import { shortId } from '../../chance/chance.js';
import type { ListOptions, OptIn } from '../../settings/options.js';
import { List } from '../../store/lists.js';
import type { Core } from '../core.js';
import { checkName, type Labels } from './labels.js';

/** Creates, changes and deletes lists. */
export class Listing {
  #made = 0;

  constructor(
    private readonly core: Core,
    private readonly labels: Labels,
  ) {}

  /** @throws RangeError if the id is taken, or an option is invalid */
  create({ id, name, opt_in_process, flows = [], tags = [] }: ListOptions): List {
    checkName('a list', name);
    const optIn = opt_in_process ?? this.core.settings.account.defaultOptIn;
    if (optIn !== 'single_opt_in' && optIn !== 'double_opt_in') {
      throw new RangeError(
        `opt_in_process must be single_opt_in or double_opt_in; got ${String(optIn)}`,
      );
    }
    const listId = id ?? this.#freeId();
    if (this.core.lists.get(listId) !== undefined) throw new RangeError(`list "${listId}" exists`);
    const now = this.core.clock.wall();
    const labels = [this.labels.flows(flows, now), this.labels.tags(tags)] as const;
    const list = new List(listId, name, optIn, now, ...labels);
    this.core.lists.add(list);
    return list;
  }

  change(list: List, { name, optIn }: { name: string | null; optIn: OptIn | null }): void {
    const now = this.core.clock.wall();
    list.rename(name ?? list.name, now);
    list.optIn = optIn ?? list.optIn;
    list.updated = now;
  }

  /** Memberships and suppressions of the list are deleted with it; consent stays. */
  delete(id: string): void {
    if (!this.core.lists.remove(id)) return;
    const { profiles } = this.core;
    const suppressed = [...profiles.listSuppressions.keys()];
    for (const index of suppressed) profiles.liftListSuppression(index, id);
  }

  #freeId(): string {
    let id: string;
    do {
      id = shortId(this.core.settings.seed, 'list', String(this.#made));
      this.#made += 1;
    } while (this.core.lists.get(id) !== undefined);
    return id;
  }
}
