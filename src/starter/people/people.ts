import type { Person, PersonConsent } from '../../contracts/person.js';
import { personHistory, type PersonPart } from '../../ledger/index.js';
import type { StartedMigration } from '../migrations/start.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { startChange, type PersonChange } from './change.js';
import { readLiveConsent } from './live-consent.js';

/** What was done about a person, their consent at Klaviyo, and changes of it. */
export class People {
  constructor(private readonly reach: Reach) {}

  /**
   * Everything that was ever done about a person, from the ledger, oldest first. Empty for an unknown one.
   *
   * @example
   * const parts = await consentry.people.history({ by: 'email', value: 'ann@example.com' });
   */
  history(person: Person): Promise<PersonPart[]> {
    return personHistory(this.reach.ledger.db, person);
  }

  /**
   * Does something for one person: a migration of one row, with the same guard, read-back and report
   * as for a file. Follow it with `consentry.migrations`.
   *
   * @example
   * const { id } = await consentry.people.change({
   *   person: { by: 'email', value: 'ann@example.com' },
   *   operation: 'unsubscribe',
   *   reason: 'asked by phone',
   * });
   * const { outcomes } = await consentry.migrations.waitForEnd(id);
   *
   * @throws SettingsError if a setting is wrong, or the identifier does not fit what is asked
   * @throws NoWorkerError if no worker of the account shows up within a few seconds
   */
  change(change: PersonChange): Promise<StartedMigration> {
    return startChange(this.reach, change);
  }

  /**
   * A person's consent as Klaviyo has it now, in one account. A worker reads it, within 90 seconds.
   *
   * @param account Klaviyo's id of the account; may be left out if workers for only one use the ledger
   * @example
   * const { profiles } = await consentry.people.liveConsent({
   *   by: 'phone_number',
   *   value: '+12025550123',
   * });
   *
   * @throws SettingsError, NoWorkerError, PersonNotReadError
   * @throws MigrationStoppedError if the worker failed to read it
   */
  async liveConsent(person: Person, account: string | null = null): Promise<PersonConsent> {
    const workers = await this.reach.workersOf(account);
    const through = { client: this.reach.client, db: this.reach.ledger.db, ...workers };
    return resultOf(readLiveConsent(through, person));
  }
}
