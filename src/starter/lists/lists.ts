import type { CreatedList } from '../../contracts/lists.js';
import { SettingsError } from '../migrations/request/settings-error.js';
import type { Reach } from '../reach.js';
import { executeList } from './execute-list.js';

/** A list to create. */
export interface NewList {
  /** Exactly as Klaviyo will have it. */
  readonly name: string;
  readonly optIn: 'single' | 'double';
  /**
   * Klaviyo's id of the account; may be left out if workers for only one use the ledger.
   *
   * @default null
   */
  readonly account?: string | null;
}

/** Creates lists. */
export class Lists {
  constructor(private readonly reach: Reach) {}

  /**
   * Creates a list with an opt-in process. Safe to repeat: if the account has the one list of exactly
   * this name, with this process, that is the answer. No run creates a list.
   *
   * @example
   * const { id } = await consentry.lists.create({ name: 'Ambassadors', optIn: 'double' });
   *
   * @throws SettingsError, NoWorkerError, ListNotCreatedError
   * @throws MigrationStoppedError if the name is taken by a list with another process or by several,
   *   or Klaviyo refuses to create it
   */
  async create({ name, optIn, account = null }: NewList): Promise<CreatedList> {
    requireName(name);
    const list = { name, optInProcess: `${optIn}_opt_in`, createsIt: true } as const;
    const created = await executeList(this.reach, account, list);
    if (created === null) throw new Error('The worker neither found nor created the list.');
    return created;
  }
}

/** @throws SettingsError */
function requireName(name: string): void {
  const problem =
    name.trim() === ''
      ? 'is empty'
      : name !== name.trim()
        ? 'begins or ends with white space'
        : /[\p{Cc}\p{Cs}]/u.test(name)
          ? 'has control characters'
          : null;
  if (problem === null) return;
  throw new SettingsError(
    `The name of the list ${problem}: Klaviyo might store another one, and it would not be found again. Correct it.`,
  );
}
