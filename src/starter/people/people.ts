import type { Person, PersonConsent } from '../../contracts/person.js';
import { personHistory, type PersonPart } from '../../ledger/index.js';
import type { Reach } from '../reach.js';
import { resultOf } from '../stopped.js';
import { readLiveConsent } from './live-consent.js';

/** What was done about a person, and how their consent stands. */
export class People {
  constructor(private readonly reach: Reach) {}

  /** Everything that was ever done about a person, oldest first. */
  history(person: Person): Promise<PersonPart[]> {
    return personHistory(this.reach.ledger.db, person);
  }

  /**
   * A person's consent as Klaviyo holds it now, in one account.
   *
   * @throws SettingsError, NoWorkerError, PersonNotReadError
   */
  async liveConsent(person: Person, account: string | null = null): Promise<PersonConsent> {
    const workers = await this.reach.workersOf(account);
    const through = { client: this.reach.client, db: this.reach.ledger.db, ...workers };
    return resultOf(readLiveConsent(through, person));
  }
}
