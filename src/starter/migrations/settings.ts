import { createHash } from 'node:crypto';
import type { ConsentChannel } from '../../contracts/channels.js';
import { JOB_SIZE, BATCH_SIZE } from '../../contracts/limits.js';
import type {
  MigrationInput,
  MigrationSettings,
  MigrationTiming,
} from '../../contracts/migration.js';
import type { ImportOptions, Mapping } from '../../importers/index.js';

/** What a person asks of a migration: the flags of `consentry migrate`. */
export interface MigrationRequest {
  /**
   * Klaviyo's id of the account that the run is about. Default: the dev stack's, else the only one that
   * workers have shown a key of.
   */
  readonly account?: string | null;
  /** Path of the source. */
  readonly file: string;
  /** Id of the list to subscribe into; without one the account's default opt-in process applies. */
  readonly listId?: string | null;
  /** Channels that consent is asked for. Default `['email']`. */
  readonly channels?: readonly ConsentChannel[];
  /** The opt-in process that is expected; needed for double opt-in, and without a list. */
  readonly optIn?: 'single' | 'double' | null;
  /** Import consent that was given before: its dates are sent, and Klaviyo mails nobody. */
  readonly historical?: boolean;
  /** Countries with a sending number, where the key may not read them. */
  readonly smsCountries?: readonly string[] | null;
  /** What SMS rows of countries without a sender do. Default `stop`: nothing is sent. */
  readonly smsWithoutSender?: MigrationSettings['smsWithoutSender'];
  /** Default country of phone numbers, ISO alpha-2. */
  readonly country?: string | null;
  /** IANA zone of dates without one. */
  readonly timezone?: string | null;
  /** What a subscribe without a consent date becomes; default `subscribe`; if historical, the run stops. */
  readonly undated?: ImportOptions['undated'];
  readonly preset?: ImportOptions['preset'];
  readonly smsColumn?: string | null;
  /** Klaviyo's `custom_source`; default names preset and migration. */
  readonly customSource?: string | null;
  /** Put everybody on the list without consent; refused for SMS, which has no such thing. */
  readonly implicit?: boolean;
  /** Consent date of rows without one, which the operator attests; RFC 3339 or `YYYY-MM-DD`. */
  readonly consentedAt?: string | null;
  /** Mapping file for a layout that no preset knows. */
  readonly mapping?: string | null;
  /** SQL query on the database at `file`, a `postgres://` or `mysql://` URL. */
  readonly query?: string | null;
  /** Plan only. */
  readonly dryRun?: boolean;
  /** Where it is about more rows than `confirmAbove`: wait for `approve` after the plan. */
  readonly confirm?: boolean;
  /** A run of no more rows needs nobody's word. Default 1,000. */
  readonly confirmAbove?: number;
  /** Run this many rows to their end, and stop. */
  readonly pilot?: number | null;
  /** Run this many rows to their end, wait, and go on where they ended as planned. */
  readonly canary?: { readonly rows: number; readonly waitMs: number } | null;
  /** Rows that one subscribe call carries at most. Default 1,000, which is Klaviyo's limit. */
  readonly rowsPerJob?: number;
  /** Jobs that one `consentBatch` workflow carries at most. Default 250. */
  readonly jobsPerBatch?: number;
  /** Part of the account's limits that the run may use, above 0 to 1. Default 1. */
  readonly share?: number;
  /** Days that people who have not clicked are followed. Default 7. */
  readonly watchDays?: number;
  readonly timing?: Partial<MigrationTiming>;
}

/** A setting is missing or contradicts another; the message names the flag. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * @param mapping what the request's mapping file says; null without one
 * @throws SettingsError
 */
export function importOptions(
  request: MigrationRequest,
  mapping: Mapping | null = null,
): ImportOptions {
  const undated = request.undated ?? (request.historical === true ? 'reject' : 'subscribe');
  if (request.historical === true && undated === 'subscribe') {
    throw new SettingsError(
      '--historical sends consent dates, and --undated subscribe would send rows without one: use --undated reject or --undated list_only.',
    );
  }
  if (undated === 'list_only' && (request.listId ?? null) === null) {
    throw new SettingsError('--undated list_only needs a list: give --list ID.');
  }
  if (request.implicit === true && (request.listId ?? null) === null) {
    throw new SettingsError('--implicit puts people on a list: give --list ID.');
  }
  return {
    channels: channelsOf(request),
    country: request.country ?? null,
    timezone: request.timezone ?? null,
    undated,
    preset: request.preset ?? null,
    now: new Date(),
    consent: request.implicit === true ? 'implicit' : 'explicit',
    consentedAt: request.consentedAt ?? null,
    mapping,
    ...(typeof request.smsColumn === 'string' ? { smsColumn: request.smsColumn } : {}),
  };
}

export function migrationSettings(
  request: MigrationRequest,
  defaultSource: string,
): MigrationSettings {
  return {
    listId: request.listId ?? null,
    channels: channelsOf(request),
    expectedOptIn: typeof request.optIn === 'string' ? `${request.optIn}_opt_in` : null,
    historicalImport: request.historical ?? false,
    smsCountries: request.smsCountries ?? null,
    smsWithoutSender: request.smsWithoutSender ?? 'stop',
    stopOnUndated: request.historical === true && request.undated === undefined,
    customSource: request.customSource ?? defaultSource,
    consent: request.implicit === true ? 'implicit' : 'explicit',
    canaryRows: request.pilot ?? request.canary?.rows ?? null,
    rowsPerJob: wholeWithin('rowsPerJob', request.rowsPerJob ?? JOB_SIZE, JOB_SIZE),
  };
}

function wholeWithin(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new SettingsError(`${name} must be a whole number from 1 to ${most}; got ${value}.`);
}

function channelsOf(request: MigrationRequest): readonly ConsentChannel[] {
  const channels = [...new Set(request.channels ?? ['email'])].sort();
  if (channels.length === 0)
    throw new SettingsError('--channels names no channel: give email, sms, ...');
  return channels as ConsentChannel[];
}

const MINUTE = 60_000;

/**
 * Waits and deadlines. Klaviyo shows a live subscribe after up to 3 minutes, a back-dated one or a
 * new profile of an import after up to 20; the deadlines leave a good margin.
 */
export function timingOf(request: Omit<MigrationRequest, 'file'>): MigrationTiming {
  const appliedWithinMs = request.historical === true ? 45 * MINUTE : 15 * MINUTE;
  return {
    confirmWithinMs: appliedWithinMs,
    // Who wants outcomes sooner does not make Klaviyo quicker.
    appliedWithinMs: Math.max(appliedWithinMs, request.timing?.confirmWithinMs ?? 0),
    membershipWithinMs: request.timing?.confirmWithinMs ?? 30 * MINUTE,
    readEveryMs: 5_000,
    readTurnMs: MINUTE,
    ambiguousWaitMs: 3 * MINUTE,
    consentMaxAgeMs: 10 * MINUTE,
    textConsentMaxAgeMs: 2 * MINUTE,
    optOutsMaxAgeMs: 5_000,
    optOutsLateMs: 10 * MINUTE,
    suppressionWithinMs: 270 * MINUTE,
    eventsSilentMs: 2 * MINUTE,
    watchForMs: (request.watchDays ?? 7) * 24 * 60 * MINUTE,
    watchFirstMs: 15 * MINUTE,
    watchLongestMs: 360 * MINUTE,
    ...request.timing,
  };
}

/** Two runs with the same hash ask for the same: the second attaches to the first. */
export function requestHash(
  accountId: string,
  sourceSha256: string,
  settings: MigrationSettings,
  options: ImportOptions,
): string {
  const asked = { ...settings, accountId, customSource: null, ...options, now: null };
  const sorted = Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(sourceSha256).update(JSON.stringify(sorted)).digest('hex');
}

/** Default of `confirmAbove`. */
const UNASKED_ROWS = 1_000;

/** The workflow's input: how the run goes, without anything about people or lists. */
export function migrationInput(
  migrationId: string,
  request: Omit<MigrationRequest, 'file'>,
  rows: number,
): MigrationInput {
  const { pilot = null, canary = null } = request;
  return {
    migrationId,
    timing: timingOf(request),
    batchSize: wholeWithin('jobsPerBatch', request.jobsPerBatch ?? BATCH_SIZE, BATCH_SIZE),
    dryRun: request.dryRun ?? false,
    needsApproval:
      request.confirm === true &&
      rows > (request.confirmAbove ?? UNASKED_ROWS) &&
      request.dryRun !== true,
    canary:
      pilot !== null
        ? { waitMs: 0, thenStop: true }
        : canary && { waitMs: canary.waitMs, thenStop: false },
  };
}
