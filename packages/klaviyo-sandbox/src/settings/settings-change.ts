import type { SandboxAccount } from '../account/account.js';
import { checkDelays, DELAYS, type DelaySettings } from './delays.js';
import { shareOf, type Settings, type Switches } from './options.js';
import { checkSwitches } from './switches.js';

/** What can be changed while the sandbox runs, with the names of its options. */
export interface ChangeableSettings {
  switches: Switches;
  delays: DelaySettings;
  clicks: { share: number; smsShare: number };
  filteredDomains: string[];
  /** Scopes of the key; null for all. */
  scopes: string[] | null;
}

export interface SettingsChange {
  switches?: Partial<Switches>;
  delays?: 'klaviyo' | 'fast' | Partial<DelaySettings>;
  clicks?: { share?: number; smsShare?: number };
  filteredDomains?: string[];
  scopes?: string[] | null;
}

const NAMES = ['switches', 'delays', 'clicks', 'filteredDomains', 'scopes'];

export function changeableSettings(settings: Settings): ChangeableSettings {
  const { switches, delays, clicks, filteredDomains, scopes } = settings;
  return {
    switches,
    delays,
    clicks: { share: clicks.share, smsShare: clicks.smsShare },
    filteredDomains: [...filteredDomains],
    scopes: scopes === 'all' ? null : [...scopes],
  };
}

/** Changes all or nothing. @throws RangeError naming what is wrong */
export function changeSettings(account: SandboxAccount, change: SettingsChange): void {
  const unknown = Object.keys(change).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`"${unknown}" cannot be changed; what can is ${NAMES.join(', ')}`);
  }
  const { settings } = account;
  const { clicks = {}, filteredDomains, scopes } = change;
  const switches = checkSwitches(change.switches ?? {});
  const delays =
    typeof change.delays === 'string'
      ? knownDelays(change.delays)
      : checkDelays(change.delays ?? {});
  const share = shareOf('clicks.share', clicks.share ?? settings.clicks.share);
  const smsShare = shareOf('clicks.smsShare', clicks.smsShare ?? settings.clicks.smsShare);
  const domains = textsOf('filteredDomains', filteredDomains);
  const allowed = textsOf('scopes', scopes ?? undefined);

  Object.assign(settings.switches, switches);
  Object.assign(settings.delays, delays);
  if (change.clicks !== undefined) account.setClicks(share, smsShare);
  if (domains !== undefined) {
    settings.filteredDomains = new Set(domains.map((domain) => domain.toLowerCase()));
  }
  if (scopes !== undefined) settings.scopes = allowed === undefined ? 'all' : new Set(allowed);
}

function knownDelays(name: string): DelaySettings {
  if (name === 'klaviyo' || name === 'fast') return DELAYS[name];
  throw new RangeError(`delays must be klaviyo, fast or an object of ranges; got ${name}`);
}

function textsOf(name: string, value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((entry): entry is string => typeof entry === 'string')) {
    return value;
  }
  throw new RangeError(`${name} must be an array of strings`);
}
