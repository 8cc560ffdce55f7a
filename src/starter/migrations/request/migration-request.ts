// Written by scripts/write-request.mjs from the schema beside it: change that, then npm run generate.

/** What `consentry migrate` and `migrations.start` are asked for. */
export interface MigrationRequest {
  /** Path of the source file, or address of its database. */
  readonly file: string;
  /** Query whose rows are the source, on PostgreSQL or MySQL. */
  readonly query?: string | null | undefined;
  /** Character encoding of the source file: utf-8, utf-16le, utf-16be, windows-1252. Default: as its bytes show. */
  readonly encoding?: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | null | undefined;
  /** Older export, migrated before: only what changed since it is run. Default: every row is run. */
  readonly since?: string | null | undefined;
  /** Channels that the source has consent for: email, sms, sms_transactional, whatsapp, push. Default: email. */
  readonly channels?:
    readonly ('email' | 'sms' | 'sms_transactional' | 'whatsapp' | 'push')[] | undefined;
  /** Preset that reads the source. Default: recognised. */
  readonly preset?:
    | 'mailchimp-subscribed'
    | 'mailchimp-unsubscribed'
    | 'mailchimp-cleaned'
    | 'mailchimp-all'
    | 'shopify-customers'
    | 'matrixify-customers'
    | 'klaviyo-export'
    | 'klaviyo-import'
    | 'omnisend'
    | 'postscript-active'
    | 'postscript-unsubscribed'
    | 'attentive'
    | 'attentive-events'
    | 'constant-contact'
    | 'wix-contacts'
    | 'brevo'
    | 'hubspot'
    | 'drip'
    | 'activecampaign'
    | 'substack'
    | 'kit'
    | 'generic'
    | null
    | undefined;
  /** Mapping file for a source without a preset; consentry map writes one. */
  readonly mapping?: string | null | undefined;
  /** Column with the phone number. Default: the preset’s column. */
  readonly smsColumn?: string | null | undefined;
  /** Country of phone numbers without a country code, such as US. */
  readonly country?: string | null | undefined;
  /** Time zone of dates that have none, such as Europe/Berlin. */
  readonly timezone?: string | null | undefined;
  /** Consent date, attested by you, for rows without one: 2024-05-01 or with time and zone. */
  readonly consentedAt?: string | null | undefined;
  /** Who consented, when and how, attested by you, for rows of which an export records neither consent nor an opt-out. Default: such rows are left alone. */
  readonly attested?: string | null | undefined;
  /** What happens to a subscribe without a date. Default: subscribe; a historical run stops. */
  readonly undated?: 'subscribe' | 'list_only' | 'reject' | null | undefined;
  /** Klaviyo’s id of the account, if workers for several accounts use the same ledger. Default: the only one. */
  readonly account?: string | null | undefined;
  /** List to subscribe people to; without one the account’s opt-in process applies. */
  readonly listId?: string | null | undefined;
  /** Expected opt-in process; needed for double opt-in, and without a list. */
  readonly optIn?: 'single' | 'double' | null | undefined;
  /** Days before somebody who has not clicked is asked again, by whichever run; 0: by each run. Default: 30. */
  readonly askAgainDays?: number | undefined;
  /** Import consent given in the past: send its dates; Klaviyo mails nobody. */
  readonly historical?: boolean | undefined;
  /** Add everybody to the list without consent; subscribe nobody. */
  readonly implicit?: boolean | undefined;
  /** What is done for every person of the source, whatever its columns say. Default: what the columns of each row say. */
  readonly operation?:
    | 'unsubscribe'
    | 'suppress'
    | 'unsuppress'
    | 'remove_from_list'
    | 'add_to_list'
    | null
    | undefined;
  /** Move everybody from this list to the list of the run; consent stays as it is. */
  readonly moveFrom?: string | null | undefined;
  /** What an unsubscribe ends: all marketing of the channel, or that of the list alone. Default: everything. */
  readonly unsubscribeFrom?: 'everything' | 'list' | undefined;
  /** Unsubscribe whoever is suppressed, too: that counts at once, a suppression after hours. Default: suppressed only. */
  readonly floor?: 'unsubscribe' | null | undefined;
  /** Countries with a sender, if the key may not read senders: US,CA. */
  readonly smsCountries?: readonly string[] | null | undefined;
  /** SMS rows of countries without a sender: stop the run, or reject them. Default: stop. */
  readonly smsWithoutSender?: 'stop' | 'reject' | undefined;
  /** Times of the day at which no text asks for a click: what would send one waits. Default: none. */
  readonly quietHours?:
    | {
        /** No double opt-in text is asked for from this time on, such as 21:00. */
        readonly from: string;
        /** Until this time of the same or the next day, such as 08:00. */
        readonly to: string;
        /** Time zone of these times, such as Europe/Berlin. */
        readonly timeZone: string;
      }
    | null
    | undefined;
  /** What Klaviyo stores as the source of the consent. Default: the preset and the id of the migration. */
  readonly customSource?: string | null | undefined;
  /** Plan only: show what would be sent, to whom and in how long; send nothing. */
  readonly dryRun?: boolean | undefined;
  /** A run with more rows waits for approval after its plan. Default: no run waits. */
  readonly approvalAbove?: number | null | undefined;
  /** Run this many rows to their end, then stop. */
  readonly pilot?: number | null | undefined;
  /** Rows that are run to their end before all others. */
  readonly canary?:
    | {
        /** Run this many rows to their end first; go on only if they end as planned. */
        readonly rows: number;
        /** Pause after the canary, in milliseconds. Default: 900000 (15m). */
        readonly waitMs?: number | undefined;
      }
    | null
    | undefined;
  /** Share of the account’s limits to use, above 0 to 1. Default: 1. */
  readonly share?: number | undefined;
  /** Days to follow people who have not clicked. Default: 7. */
  readonly watchDays?: number | undefined;
  /** Rely on what earlier reads showed, and read only what changed: where that saves calls, always, or never. Default: auto. */
  readonly mirror?: 'auto' | 'always' | 'off' | undefined;
  /** Do not look up addresses that no profile has; only where no profile has secondary addresses. */
  readonly absentIsNew?: boolean | undefined;
  /** Most rows of one subscribe call. Default: 1000. */
  readonly rowsPerJob?: number | undefined;
  /** Most jobs of one `consentBatch` workflow. Default: 250. */
  readonly jobsPerBatch?: number | undefined;
  /** Waits and deadlines of the run. */
  readonly timing?:
    | {
        /** Deadline of the read-back, in milliseconds. Default: 15m; 45m for a historical run. */
        readonly confirmWithinMs?: number | null | undefined;
        /** Deadline of the read-back of list memberships, in milliseconds. Default: confirmWithinMs, or 30m. */
        readonly membershipWithinMs?: number | null | undefined;
        /** How long after a subscribe Klaviyo may still apply it; opt-outs are watched for that long, in milliseconds. Default: 15m; 45m for a historical run. */
        readonly appliedWithinMs?: number | null | undefined;
        /** Wait before reading back a call whose answer was lost, in milliseconds. Default: 180000 (3m). */
        readonly lostAnswerWaitMs?: number | undefined;
        /** Pause between two reads of Klaviyo’s feeds, in milliseconds. Default: 5000 (5s). */
        readonly readEveryMs?: number | undefined;
        /** Longest turn of reading, in milliseconds. Default: 60000 (1m). */
        readonly readTurnMs?: number | undefined;
        /** Age at which consent is read again, in milliseconds. Default: 600000 (10m). */
        readonly consentMaxAgeMs?: number | undefined;
        /** The same for consent to texts, WhatsApp and push, in milliseconds. Default: 120000 (2m). */
        readonly textConsentMaxAgeMs?: number | undefined;
        /** Age at which opt-outs are read again, in milliseconds. Default: 5000 (5s). */
        readonly optOutsMaxAgeMs?: number | undefined;
        /** How late Klaviyo may show an opt-out, in milliseconds. Default: 600000 (10m). */
        readonly optOutsLateMs?: number | undefined;
        /** Deadline of the read-back of suppressions, in milliseconds. Default: 16200000 (270m). */
        readonly suppressionWithinMs?: number | undefined;
        /** Longest wait for a silent feed of events, in milliseconds. Default: 240000 (4m). */
        readonly eventsSilentMs?: number | undefined;
        /** How long people who have not clicked are followed, in milliseconds. Default: watchDays. */
        readonly watchForMs?: number | null | undefined;
        /** First pause between two polls of people who have not clicked; it doubles, in milliseconds. Default: 900000 (15m). */
        readonly watchFirstMs?: number | undefined;
        /** Longest pause between two polls of people who have not clicked, in milliseconds. Default: 21600000 (6h). */
        readonly watchLongestMs?: number | undefined;
      }
    | undefined;
}

/** What `consentry check` and `migrations.check` are asked for: the same, without a source. */
export type CheckRequest = Omit<MigrationRequest, 'file'>;

/** The settings of a retry; it takes the rest from the run whose rows it retries. */
export type RetryRequest = Pick<
  MigrationRequest,
  'smsCountries' | 'approvalAbove' | 'watchDays' | 'jobsPerBatch' | 'timing'
>;

/** How a run of a program goes; the program has the rest. */
export type RunOptions = Pick<
  MigrationRequest,
  'dryRun' | 'approvalAbove' | 'canary' | 'share' | 'watchDays' | 'timing'
>;
