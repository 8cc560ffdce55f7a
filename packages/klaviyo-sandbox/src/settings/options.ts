import { checkDelays, DELAYS, type DelaySettings } from './delays.js';
import type { Latency } from './latency.js';
import { checkSwitches, DEFAULT_SWITCHES, type Switches } from './switches.js';

export { DEFAULT_SWITCHES, type Switches } from './switches.js';

export type OptIn = 'single_opt_in' | 'double_opt_in';

export interface ListOptions {
  /** Six letters and digits in Klaviyo; any non-empty string here. @default generated */
  id?: string;
  name: string;
  opt_in_process?: OptIn;
  /** Flows that start when somebody joins the list, shown by `include=flow-triggers`. */
  flows?: FlowOptions[];
  /** Names; several lists and segments may have the same tag. */
  tags?: string[];
}

/** A flow that a list or segment starts. The same id is the same flow. */
export interface FlowOptions {
  /** @default generated */
  id?: string;
  name: string;
  /** @default 'live' */
  status?: 'draft' | 'manual' | 'live';
  /** @default false */
  archived?: boolean;
}

/** The rule of a segment: by a custom property, or by consent. */
export type SegmentRule =
  | { property: string; equals: string | boolean }
  | {
      consent: 'email.marketing' | 'sms.marketing';
      is: 'SUBSCRIBED' | 'UNSUBSCRIBED' | 'NEVER_SUBSCRIBED';
    };

export interface SegmentOptions {
  /** @default generated */
  id?: string;
  name: string;
  /** An inactive segment has no members and never gets any. @default true */
  is_active?: boolean;
  /** @default false */
  is_starred?: boolean;
  /** @default none: `moveInSegment` sets its members */
  where?: SegmentRule;
  /** Flows that start when somebody joins the segment. */
  flows?: FlowOptions[];
  tags?: string[];
}

export interface SenderOptions {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** `alpha`, `long_code`, `short_code`, `toll_free` or `vanity_short_code`. */
  type: string;
  /** Only an `active` sender makes its country a supported region. */
  status: string;
}

export interface ClickOptions {
  /** Share of the people who confirm a double opt-in mail, 0 to 1. Seed and address decide who. */
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
  /**
   * SMS metrics have the names used in older accounts, e.g. `Consented to Receive SMS`. @default
   * false
   */
  oldSmsMetricNames?: boolean;
  /**
   * How far the clock of webhook headers is ahead, in ms. @default 18_000_000, the 5 h that were
   * seen
   */
  webhookClockSkewMs?: number;
}

/** A request for an operation of the API, on its way through the sandbox. */
export interface RequestMoment {
  /** Operation id, such as `bulk_subscribe_profiles`. */
  operation: string;
  /**
   * Before it is carried out, when its fault has been chosen; or after that, before its answer is
   * sent. A request that is stopped by a fault or a refusal also has both moments.
   */
  moment: 'before' | 'after';
  /** Counts the requests from 1, in the order in which they arrive. */
  number: number;
}

export interface SandboxOptions {
  /** @default 0, any free port */
  port?: number;
  /** Only loopback addresses reach the control surface. @default '127.0.0.1' */
  host?: string;
  /** @default 'pk_sandbox' */
  apiKey?: string;
  /** Scopes of the key. @default every scope that an operation needs */
  scopes?: string[];
  account?: AccountOptions;
  /** @default active, with toll-free senders in US and CA and a long code in GB */
  sms?: { status: 'active' | 'disabled' | 'none'; senders: SenderOptions[] };
  lists?: ListOptions[];
  /** Segments that already exist: their members show without the delay of a new segment. */
  segments?: SegmentOptions[];
  /** Seeds all randomness (delays, clicks, ids). @default 1 */
  seed?: number;
  /** Kinds that are missing in an object are as in `klaviyo`. @default 'klaviyo' */
  delays?: 'klaviyo' | 'fast' | Partial<DelaySettings>;
  /** Divides delays and rate windows alike; the wall clock stays real. @default 1 */
  speed?: number;
  /**
   * How far Klaviyo's clock is ahead of this machine's, in ms; behind if negative. The `Date` of
   * every answer and every date that Klaviyo sets or compares with follow it; the sandbox's own
   * records (requests, exchanges) do not. @default 0
   */
  clockAheadMs?: number;
  /** Multiplies Klaviyo's rate limits, for load tests without them. @default 1 */
  rateLimitFactor?: number;
  /** @default 0.7 of the people, after 30 s to 2 h (`fast`: 0.2 to 2 s) */
  clicks?: ClickOptions;
  /** How long answers take; if several match a request, the first counts. @default no time */
  latency?: Latency | readonly Latency[];
  /**
   * Folder to which every exchange of the API is written, as NDJSON without the key. @default the
   * environment variable KLAVIYO_SANDBOX_EXCHANGES; none without it
   */
  exchanges?: string;
  /**
   * Domains whose rows a subscribe accepts and then silently drops; in a bulk import they are
   * import errors. @default none
   */
  filteredDomains?: string[];
  switches?: Partial<Switches>;
  /**
   * Awaited before and after each request, so that a test can let anything happen between any two
   * calls. If it throws, the answer is a 500. Only for programs, not for a settings file. @default
   * none
   */
  onRequest?: (request: RequestMoment) => Promise<void> | void;
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
  segments: readonly SegmentOptions[];
  seed: number;
  delays: DelaySettings;
  speed: number;
  clockAheadMs: number;
  rateLimitFactor: number;
  clicks: Required<ClickOptions>;
  filteredDomains: ReadonlySet<string>;
  latency: readonly Latency[];
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
  const rateLimitFactor = options.rateLimitFactor ?? 1;
  if (!(rateLimitFactor > 0 && rateLimitFactor < Infinity)) {
    throw new RangeError(`rateLimitFactor must be more than 0, got ${rateLimitFactor}`);
  }
  const clockAheadMs = options.clockAheadMs ?? 0;
  if (!Number.isFinite(clockAheadMs)) {
    throw new RangeError(`clockAheadMs must be a number of ms, got ${String(clockAheadMs)}`);
  }
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
      oldSmsMetricNames: false,
      webhookClockSkewMs: 18_000_000,
      ...options.account,
    },
    sms: options.sms ?? { status: 'active', senders: SENDERS },
    lists: options.lists ?? [],
    segments: options.segments ?? [],
    seed: options.seed ?? 1,
    delays:
      typeof delays === 'string'
        ? { ...DELAYS[delays] }
        : { ...DELAYS.klaviyo, ...checkDelays(delays) },
    speed,
    clockAheadMs,
    rateLimitFactor,
    clicks: {
      share: shareOf('clicks.share', clicks.share),
      smsShare: shareOf('clicks.smsShare', clicks.smsShare ?? clicks.share),
      delayMs: clicks.delayMs,
    },
    filteredDomains: new Set((options.filteredDomains ?? []).map((domain) => domain.toLowerCase())),
    latency: [options.latency ?? []].flat(),
    switches: { ...DEFAULT_SWITCHES, ...checkSwitches(options.switches ?? {}) },
  };
}

export function shareOf(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new RangeError(`${name} must be a number from 0 to 1, got ${String(value)}`);
}
