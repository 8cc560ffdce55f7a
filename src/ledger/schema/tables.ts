import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { Channel, ConsentChannel, Operation } from '../../contracts/channels.js';
import type { OffPeople } from '../../contracts/programs.js';
import type { MigrationSettings, Phase, Plan, Preflight } from '../../contracts/migration.js';
import type {
  Drift,
  SyncRunKind,
  SyncSettings,
  ValidationFound,
  WholeReading,
} from '../../contracts/sync.js';
import type { Lags } from '../../contracts/sync-lag.js';
import type { RunKind } from '../../contracts/run.js';
import type { Person, PersonConsent } from '../../contracts/person.js';
import type { SettledBy, Outcome, Reason } from '../../contracts/outcomes.js';

/**
 * The ledger's tables as Kysely sees them, without those that only SQL names. The migrations in this
 * folder create them.
 */
export interface Tables {
  run: RunTable;
  migration: MigrationTable;
  settlement: SettlementTable;
  carried: CarriedTable;
  submission: SubmissionTable;
  job: JobTable;
  job_channel: JobChannelTable;
  account: AccountTable;
  list_feed: FeedColumns & { run_id: string; joined_since: string };
  event_feed: FeedColumns & { run_id: string; metric: string; since: string };
  opt_out: OptOutTable;
  account_feed: AccountFeedTable;
  repair: RepairTable;
  call_count: CallCountTable;
  person_request: PersonRequestTable;
  applied_program: AppliedProgramTable;
  sync: SyncTable;
  sync_run: SyncRunTable;
}

interface RunTable {
  id: string;
  kind: RunKind;
  account_id: string | null;
  request_hash: string | null;
  share: Generated<number>;
  paused: Generated<boolean>;
  steering: Generated<string>;
  stopped_at: Date | null;
  stop_reason: Reason | null;
  held: string | null;
  created_at: Generated<Date>;
  finished_at: Date | null;
}

interface MigrationTable {
  id: string;
  source_name: string;
  source_sha256: string;
  preset: string;
  settings: JSONColumnType<MigrationSettings>;
  preflight: JSONColumnType<Preflight> | null;
  plan: JSONColumnType<Plan> | null;
  phase: Generated<Phase>;
  retry_of: string | null;
  program: string | null;
  failure: string | null;
  number: Generated<number>;
  rows: number | null;
  channels: string[];
  repairs_noted_at: Date | null;
}

interface SettlementTable {
  migration_number: number;
  row_number: number;
  channel: Channel;
  outcome: Outcome;
  in_job: Generated<boolean>;
  reason: Reason | null;
  settled_by: SettledBy | null;
  settled_at: Date;
  consent_after: string | null;
  consent_after_at: Date | null;
  asked_at: Generated<Date | null>;
}

interface CarriedTable {
  submission_id: string;
  klaviyo_sent_at: Date | null;
  job_number: number;
  migration_number: number;
  block: number;
  channel: Channel;
  rows: string;
}

interface JobChannelTable {
  migration_number: number;
  job_number: number;
  channel: Channel;
  operation: Operation;
  parts: number;
  settled: number;
}

export type SubmissionStatus =
  'sending' | 'accepted' | 'refused' | 'not_sent' | 'ambiguous' | 'lost';

interface SubmissionTable {
  id: Generated<string>;
  migration_id: string;
  job_number: number;
  endpoint: string;
  status: SubmissionStatus;
  rows: number;
  partial_failure: string | null;
  request_id: string | null;
  sent_at: Generated<Date>;
  answered_at: Date | null;
  klaviyo_sent_at: Date | null;
}

interface JobTable {
  migration_id: string;
  job_number: number;
  operation: Operation;
  rows: number;
  accepted_at: Date | null;
  submit_ended_at: Date | null;
  look_up_at: Date | null;
  canary: Generated<boolean>;
  woken_at: Date | null;
}

interface AccountTable {
  id: string;
  first_seen_at: Generated<Date>;
  seen_at: Generated<Date>;
}

interface FeedColumns {
  newest: string;
  cursor: string | null;
}

export type OptOutSource = 'suppression' | 'list_suppression' | 'event' | 'profile' | 'submission';

interface OptOutTable {
  account_id: string;
  identifier: string;
  channel: Channel;
  list_id: string;
  opted_out_at: Date;
  source: OptOutSource;
  submission_id: Generated<string>;
  shown_at: Date | null;
  noted_at: Generated<Date>;
}

interface AccountFeedTable {
  account_id: string;
  feed: string;
  since: Date;
  read_at: Date | null;
  took_ms: Generated<number>;
  unreadable: Generated<boolean>;
  reading_until: Date | null;
  whole_since: Date | null;
  complete: Generated<boolean>;
  missed_at: Date | null;
}

interface RepairTable {
  migration_id: string;
  row_number: number;
  channel: Channel;
  opted_out_at: Date;
  subscribed_seen_at: Date | null;
  unsubscribed_at: Date | null;
  closed_at: Date | null;
}

interface PersonRequestTable {
  id: string;
  identifier: JSONColumnType<Person>;
  result: JSONColumnType<PersonConsent> | null;
  created_at: Generated<Date>;
}

interface CallCountTable {
  run_id: string;
  endpoint: string;
  status: string;
  calls: string;
  duration_ms: string;
}

interface AppliedProgramTable {
  account_id: string;
  program: string;
  settings: JSONColumnType<Readonly<Record<string, unknown>>>;
  hash: string;
  migration_id: string | null;
  applied_at: Generated<Date>;
  off: ColumnType<StoredOff, string | undefined, string>;
}

interface SyncTable {
  id: string;
  account_id: string;
  name: string | null;
  destination: string;
  settings: JSONColumnType<SyncSettings>;
  generation: Generated<string>;
  written_to: string | null;
  alerted_at: Date | null;
  notice_begun_at: Date | null;
  created_at: Generated<Date>;
}

interface SyncRunTable {
  id: string;
  sync_id: string;
  workflow_id: string;
  does: SyncRunKind;
  whole: WholeReading | null;
  secret: string | null;
  read: Generated<string>;
  added: Generated<string>;
  changed: Generated<string>;
  removed: Generated<string>;
  members_joined: Generated<string>;
  members_left: Generated<string>;
  drift: ColumnType<Drift, string | undefined, string>;
  lags: ColumnType<Lags, string | undefined, string>;
  seen_at: Generated<Date>;
  found: JSONColumnType<ValidationFound> | null;
  warning: string | null;
  failure: string | null;
}
/** By channel: what was done about the people of a channel that was switched off. */
export type StoredOff = Readonly<
  Partial<
    Record<
      ConsentChannel,
      {
        readonly people: OffPeople;
        /** Null if there was nobody. */ readonly migrationId: string | null;
      }
    >
  >
>;
