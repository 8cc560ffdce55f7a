import type { ConsentChangeLine, SubscribedLine, TruthLine } from 'klaviyo-sandbox';
import type { ReportedPart } from '../../src/ledger/index.js';
import type { Phase } from '../../src/contracts/migration.js';
import type { RunSpec, Scenario } from './scenarios/scenario.js';

/** What happened in a scenario, as far as it can be judged. Times are epoch ms of this machine. */
export interface Chronicle {
  readonly scenario: Scenario;
  readonly accounts: readonly AccountChronicle[];
  readonly runs: readonly RunChronicle[];
  /** Every yes of people by themselves: a change of a profile does not show who made it. */
  readonly said: readonly Said[];
  /** Workflows that were open when all should have been quiet, and the events of every workflow. */
  readonly openWorkflows: readonly string[];
  readonly histories: readonly { readonly workflowId: string; readonly events: number }[];
  /** Answers could be lost: a fault or a kill took them. */
  readonly answersWereLost: boolean;
  /** Why it did not come to an end; null where it did. */
  readonly stuck: string | null;
  /** How many times as long as on a quiet machine everything may have taken. */
  readonly slack: number;
}

export interface AccountChronicle {
  readonly people: readonly Identity[];
  readonly before: readonly TruthLine[];
  readonly after: readonly TruthLine[];
  readonly changes: readonly ConsentChangeLine[];
  /** Everybody whom an accepted subscribe carried. */
  readonly carried: readonly SubscribedLine[];
  readonly messages: readonly {
    readonly to: string;
    readonly listId: string | null;
    readonly count: number;
  }[];
  readonly throttled: number;
}

export interface Identity {
  /** In lower case. */
  readonly email: string;
  /** As account and sources spell it. */
  readonly written: string;
  readonly phone: string | null;
}

/** The person wants mail or texts again: they filled in a form, or clicked on a message. */
export interface Said {
  readonly account: number;
  readonly channel: 'email' | 'sms';
  readonly identifier: string;
  readonly at: number;
  /** Of a message, which Klaviyo applies a moment later. */
  readonly byClick: boolean;
}

export interface RunChronicle {
  readonly id: string;
  readonly spec: RunSpec;
  readonly customSource: string;
  readonly phase: Phase;
  readonly failure: string | null;
  readonly finished: boolean;
  readonly startedAt: number;
  readonly parts: readonly ReportedPart[];
  /** When `cancel` returned; null where nobody cancelled it. */
  readonly cancelledAt: number | null;
}
