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
