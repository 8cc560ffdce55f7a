import { DELAYS, type DelaySettings } from './delays.js';

export type OptIn = 'single_opt_in' | 'double_opt_in';

export interface ListOptions {
  /** Six letters and digits in Klaviyo; any non-empty text here. Generated where absent. */
  id?: string;
  name: string;
  opt_in_process?: OptIn;
}

export interface SenderOptions {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** `alpha`, `long_code`, `short_code`, `toll_free` or `vanity_short_code`. */
  type: string;
  /** Only an `active` sender makes its country a supported region. */
  status: string;
}

/** Answers to the questions that nobody has published an answer to; see `DEFAULT_SWITCHES`. */
export interface Switches {
  /** How many bad rows one 400 names. */
  errorsPerAnswer: 'all' | number;
  /** The same e-mail or phone twice in one subscribe request. */
  duplicateRows: 'accept_last' | 'reject';
  /** E-mail and phone of one row belong to two profiles. */
  twoProfiles: 'merge' | 'ignore_phone';
  /** A badly formed phone beside a good e-mail: the rule since 2025, or the older one. */
  invalidPhoneWithEmail: 'partial_failure' | 'reject';
  /** A repeated subscribe before the click sends the message again. */
  repeatDoubleOptInMessage: boolean;
  /** A subscribed person who is not on the double opt-in list: asked to confirm, or put on it. */
  subscribedOnDoubleOptIn: 'messaged' | 'joins';
  /** An unsubscribe link or a STOP moves the profile's `updated`. */
  personOptOutMovesUpdated: boolean;
  /** A suppression moves the profile's `updated`. */
  suppressionMovesUpdated: boolean;
  /** Subscription events are written with the change, or after the `event` delay. */
  events: 'at_once' | 'late';
  /** Events of a historical import carry the date of the consent, or of its arrival. */
  historicalEvents: 'backdated' | 'now';
  /** What a suppression job tells: `processing` with every row skipped for hours, or the truth. */
  suppressionJobStatus: 'lies' | 'honest';
  /** An id that does not exist, on operations that read one profile, list or segment. */
  unknownIdOnGet: 404 | 400;
  /** A private key may use webhooks (Klaviyo: with Advanced KDP only, else 403). */
  webhooks: 'allowed' | 'refused';
  /** A private key may use the invite-only bulk export. */
  bulkExport: 'allowed' | 'refused';
}

export const DEFAULT_SWITCHES: Switches = {
  errorsPerAnswer: 'all',
  duplicateRows: 'accept_last',
  twoProfiles: 'merge',
  invalidPhoneWithEmail: 'partial_failure',
  repeatDoubleOptInMessage: true,
  subscribedOnDoubleOptIn: 'messaged',
  personOptOutMovesUpdated: false,
  suppressionMovesUpdated: false,
  events: 'at_once',
  historicalEvents: 'backdated',
  suppressionJobStatus: 'lies',
  unknownIdOnGet: 404,
  webhooks: 'refused',
  bulkExport: 'refused',
};

export interface ClickOptions {
  /** Share of the people who confirm a double opt-in mail, 0 to 1. Who: by seed and address. */
  share: number;
  /** From message to click: shortest and longest, ms before division by `speed`. */
  delayMs: [number, number];
  /** The same for text messages. @default share */
  smsShare?: number;
}

export interface AccountOptions {
  /** Company id. @default 'SbxAcc' */
  id?: string;
  name?: string;
  /** ISO 3166-1 alpha-2. @default 'US' */
  country?: string;
  /** Opt-in process of a subscribe without a list. @default 'double_opt_in', as in Klaviyo */
  defaultOptIn?: OptIn;
  /** SMS consent needs `age_gated_date_of_birth`. @default false */
  ageGated?: boolean;
}

export interface SandboxOptions {
  /** @default 0, any free port */
  port?: number;
  /** Only loopback addresses reach the control surface. @default '127.0.0.1' */
  host?: string;
  /** @default 'pk_sandbox' */
  apiKey?: string;
  /** Scopes of the key. @default every scope that an operation asks for */
  scopes?: string[];
  account?: AccountOptions;
  /** @default active, with toll-free senders in US and CA and a long code in GB */
  sms?: { status: 'active' | 'disabled' | 'none'; senders: SenderOptions[] };
  lists?: ListOptions[];
  /** All chance (delays, clicks, ids) follows from it. @default 1 */
  seed?: number;
  /** @default 'klaviyo' */
  delays?: 'klaviyo' | 'fast' | DelaySettings;
  /** Divides delays and rate windows alike; the wall clock stays real. @default 1 */
  speed?: number;
  /** @default 0.7 of the people, after 30 s to 2 h (`fast`: 0.2 to 2 s) */
  clicks?: ClickOptions;
  /** Domains whose rows a subscribe accepts and then silently drops. @default none */
  filteredDomains?: string[];
  switches?: Partial<Switches>;
}

/** The options with every default filled in. */
export interface Settings {
  port: number;
  host: string;
  apiKey: string;
  scopes: ReadonlySet<string> | 'all';
  account: Required<AccountOptions>;
  sms: { status: 'active' | 'disabled' | 'none'; senders: readonly SenderOptions[] };
  lists: readonly ListOptions[];
  seed: number;
  delays: DelaySettings;
  speed: number;
  clicks: Required<ClickOptions>;
  filteredDomains: ReadonlySet<string>;
  switches: Switches;
}

const SENDERS: SenderOptions[] = [
  { country: 'US', type: 'toll_free', status: 'active' },
  { country: 'CA', type: 'toll_free', status: 'active' },
  { country: 'GB', type: 'long_code', status: 'active' },
];

/** @throws RangeError naming the option that is out of its range */
export function settingsFrom(options: SandboxOptions): Settings {
  const speed = options.speed ?? 1;
  if (!(speed > 0)) throw new RangeError(`speed must be more than 0, got ${speed}`);
  const fast = options.delays === 'fast';
  const clicks = options.clicks ?? {
    share: 0.7,
    delayMs: fast ? [200, 2_000] : [30_000, 7_200_000],
  };
  const delays = options.delays ?? 'klaviyo';
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    apiKey: options.apiKey ?? 'pk_sandbox',
    scopes: options.scopes === undefined ? 'all' : new Set(options.scopes),
    account: {
      id: 'SbxAcc',
      name: 'Sandbox',
      country: 'US',
      defaultOptIn: 'double_opt_in',
      ageGated: false,
      ...options.account,
    },
    sms: options.sms ?? { status: 'active', senders: SENDERS },
    lists: options.lists ?? [],
    seed: options.seed ?? 1,
    delays: typeof delays === 'string' ? DELAYS[delays] : delays,
    speed,
    clicks: {
      share: shareOf('clicks.share', clicks.share),
      smsShare: shareOf('clicks.smsShare', clicks.smsShare ?? clicks.share),
      delayMs: clicks.delayMs,
    },
    filteredDomains: new Set((options.filteredDomains ?? []).map((domain) => domain.toLowerCase())),
    switches: { ...DEFAULT_SWITCHES, ...options.switches },
  };
}

export function shareOf(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new RangeError(`${name} must be a number from 0 to 1, got ${String(value)}`);
}
