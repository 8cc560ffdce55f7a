import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ConsentChannel } from '../contracts/channels.js';
import type { MigrationSettings, MigrationTiming } from '../contracts/migration.js';
import type { ImportOptions } from '../importers/index.js';

/** What a person asks of a migration: the flags of `consentry migrate`. */
export interface MigrationRequest {
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
  /** Default country of phone numbers, ISO alpha-2. */
  readonly country?: string | null;
  /** IANA zone of dates without one. */
  readonly timezone?: string | null;
  /** What a subscribe without a consent date becomes; default `subscribe`, `reject` if historical. */
  readonly undated?: ImportOptions['undated'];
  readonly preset?: ImportOptions['preset'];
  readonly smsColumn?: string | null;
  /** Klaviyo's `custom_source`; default names preset and migration. */
  readonly customSource?: string | null;
  readonly timing?: Partial<MigrationTiming>;
}

/** A setting is missing or contradicts another; the message names the flag. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** @throws SettingsError */
export function importOptions(request: MigrationRequest): ImportOptions {
  const undated = request.undated ?? (request.historical === true ? 'reject' : 'subscribe');
  if (request.historical === true && undated === 'subscribe') {
    throw new SettingsError(
      '--historical sends consent dates, and --undated subscribe would send rows without one: use --undated reject or --undated list_only.',
    );
  }
  if (undated === 'list_only' && (request.listId ?? null) === null) {
    throw new SettingsError('--undated list_only needs a list: give --list ID.');
  }
  return {
    channels: channelsOf(request),
    country: request.country ?? null,
    timezone: request.timezone ?? null,
    undated,
    preset: request.preset ?? null,
    now: new Date(),
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
    customSource: request.customSource ?? defaultSource,
  };
}

function channelsOf(request: MigrationRequest): readonly ConsentChannel[] {
  const channels = [...new Set(request.channels ?? ['email'])].sort();
  if (channels.length === 0)
    throw new SettingsError('--channels names no channel: email, sms or both.');
  return channels as ConsentChannel[];
}

const MINUTE = 60_000;

/**
 * Waits and deadlines. Klaviyo shows a live subscribe after up to 3 minutes, a back-dated one or a
 * new profile of an import after up to 20; the deadlines leave a good margin.
 */
export function timingOf(request: MigrationRequest): MigrationTiming {
  return {
    confirmWithinMs: request.historical === true ? 45 * MINUTE : 15 * MINUTE,
    membershipWithinMs: request.timing?.confirmWithinMs ?? 30 * MINUTE,
    readEveryMs: 5_000,
    readTurnMs: MINUTE,
    ambiguousWaitMs: 3 * MINUTE,
    consentMaxAgeMs: 10 * MINUTE,
    ...request.timing,
  };
}

/** Two runs with the same hash ask for the same: the second attaches to the first. */
export function requestHash(
  sourceSha256: string,
  settings: MigrationSettings,
  options: ImportOptions,
): string {
  const asked = { ...settings, customSource: null, ...options, now: null };
  const sorted = Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(sourceSha256).update(JSON.stringify(sorted)).digest('hex');
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
