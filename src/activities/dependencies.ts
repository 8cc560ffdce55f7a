import type { SecretReference, SyncSettings } from '../contracts/sync.js';
import type { Destination } from '../destinations/destination.js';
import type { KlaviyoClient } from '../klaviyo/index.js';
import type { Ledger } from '../ledger/index.js';

/** What activities need from the process that runs them. */
export interface ActivityDependencies {
  readonly ledger: Ledger;
  /** Shared by all activities; its limiter is the account's. */
  readonly klaviyo: KlaviyoClient;
  /** The account that the client's key belongs to. */
  readonly accountId: string;
}

/** What the activities of syncs need besides. */
export interface SyncDependencies extends ActivityDependencies {
  /**
   * Opens where a sync writes; for files, the table that they are written from.
   *
   * @param sync.id the sync's id in the ledger
   * @param ofRun gives the address that only the run knows; null if it has none
   * @throws DestinationError
   */
  openDestination(
    sync: { readonly id: string; readonly settings: Pick<SyncSettings, 'to'> },
    ofRun: () => Promise<string | null>,
  ): Promise<Destination>;
}

/** What the activities of segments need besides. */
export interface SegmentDependencies extends ActivityDependencies {
  /**
   * The address of a database, with its password.
   *
   * @throws SourceError if this process cannot read it
   */
  addressOf(url: SecretReference): Promise<string>;
}
