import type { ConsentChannel } from '../../contracts/channels.js';
import { ASK_AGAIN_DAYS } from '../migrations/request/consent-settings.js';
import type { OffPeople } from '../../contracts/programs.js';
import type { QuietHours } from '../../contracts/quiet-hours.js';
import type { SegmentSettings } from '../../contracts/segments.js';
import type { SyncInterval } from '../../contracts/sync.js';
import { BRAKES } from './file/segment-schema.js';
import type { ConsentKeys, ProgramSettings, Settings } from './file/schema.js';

/** Which part of the file a setting comes from. */
export type Origin = 'program' | 'defaults' | 'account' | 'built in';

/** A setting of a program, and where it comes from. */
export interface Sourced<T> {
  readonly value: T;
  readonly from: Origin;
}

/** A program with every setting that applies to it. It holds no secret. */
export interface Program {
  readonly name: string;
  readonly account: {
    /** Its name in the file. */
    readonly name: string;
    /** Klaviyo’s id; null if the file does not give it. */
    readonly id: string | null;
    readonly whatsapp: boolean;
  };
  /** As in the file: paths are relative to it. */
  readonly source: ProgramSettings['source'];
  /** None: nothing is run. */
  readonly channels: Sourced<readonly ConsentChannel[]>;
  /** Id or name of a list; null for the account’s default opt-in process. */
  readonly list: Sourced<string | null>;
  /** The expected opt-in process; null if none is. */
  readonly optIn: Sourced<'single' | 'double' | null>;
  /** Days before somebody who has not clicked is asked again. */
  readonly askAgainDays: Sourced<number>;
  readonly historical: Sourced<boolean>;
  readonly smsCountries: Sourced<readonly string[] | null>;
  readonly smsWithoutSender: Sourced<'stop' | 'reject'>;
  /** Within these no text asks for a click; null for none. */
  readonly quietHours: Sourced<QuietHours | null>;
  /** Country of phone numbers without a country code; null if none is given. */
  readonly country: Sourced<string | null>;
  /** What happens to the people of a channel that is switched off. */
  readonly off: OffPeople;
  readonly proof: { readonly statement: string; readonly method: string } | null;
  /** What is done when people enter and leave; null if the program is no segment. */
  readonly segment: SegmentProgram | null;
  /** When a worker runs the segment by itself; null if only people do. */
  readonly activation: {
    readonly every: SyncInterval;
    /** Who is told, as in the file; null for nobody. */
    readonly notify: NonNullable<ConsentKeys['notify']> | null;
  } | null;
}

/** How the people of a program come and go. */
export interface SegmentProgram extends SegmentSettings {
  /** Only people with a profile are asked. */
  readonly existingOnly: boolean;
  /** Column with the dates of consent; null if none are sent. */
  readonly consentHistory: string | null;
}

/** The key of the file that names the list of a program. */
export function listKey({ name, account, list }: Program): string[] {
  return list.from === 'defaults' ? ['defaults', account.name, 'list'] : ['programs', name, 'list'];
}

/** The programs of a file whose names all refer to something, in its order. */
export function programsOf(settings: Settings): Program[] {
  return Object.entries(settings.programs).map(([name, own]) => programOf(name, own, settings));
}

function programOf(name: string, own: ProgramSettings, settings: Settings): Program {
  const account = settings.accounts[own.account] ?? { whatsapp: false, create_lists: [] };
  const defaults: ConsentKeys = settings.defaults[own.account] ?? {};
  const either = <Key extends keyof ConsentKeys, T>(
    key: Key,
    builtIn: T,
  ): Sourced<Exclude<ConsentKeys[Key], undefined> | T> => {
    const candidates = [
      [own[key], 'program'],
      [defaults[key], 'defaults'],
    ] as const;
    // Null and an empty list are answers; only what is left out falls back.
    for (const [value, from] of candidates) {
      if (value !== undefined) {
        return { value: value as Exclude<ConsentKeys[Key], undefined>, from };
      }
    }
    return { value: builtIn, from: 'built in' };
  };
  // A segment has a list of its own, if nothing else is said.
  const list = either('list', own.key === undefined ? null : name);
  const segment = segmentOf(own, defaults);
  return {
    name,
    account: { name: own.account, id: account.id ?? null, whatsapp: account.whatsapp },
    source: own.source,
    channels:
      own.enabled === false
        ? { value: [], from: 'program' }
        : either('channels', ['email'] as const),
    list,
    // The defaults are about the default list; without one the account’s own process applies.
    optIn:
      list.value === null && own.opt_in === undefined && account.default_opt_in !== undefined
        ? { value: account.default_opt_in, from: 'account' }
        : // Whoever is not sure sends nobody mail without a click.
          either('opt_in', list.from === 'built in' && list.value !== null ? 'double' : null),
    askAgainDays: either('ask_again_days', ASK_AGAIN_DAYS),
    historical:
      segment !== null && segment.consentHistory !== null
        ? { value: true, from: own.enter?.consent_history === undefined ? 'defaults' : 'program' }
        : either('historical', false),
    smsCountries: either('sms_countries', null),
    smsWithoutSender: either('sms_without_sender', 'stop' as const),
    quietHours: either('quiet_hours', null),
    country:
      own.source.country !== undefined
        ? { value: own.source.country, from: 'program' }
        : account.country !== undefined
          ? { value: account.country, from: 'account' }
          : { value: null, from: 'built in' },
    off: own.off?.people ?? 'nothing',
    proof: own.proof ?? null,
    segment,
    activation: segment === null ? null : activationOf(own, defaults),
  };
}

function activationOf(own: ProgramSettings, defaults: ConsentKeys): Program['activation'] {
  const { every, cron, time_zone: timeZone } = own.schedule ?? defaults.schedule ?? {};
  const notify = own.notify ?? defaults.notify ?? null;
  if (every !== undefined) return { every: { everyMs: every }, notify };
  if (cron === undefined || timeZone === undefined) return null;
  return { every: { cron, timeZone }, notify };
}

function segmentOf({ key, ...own }: ProgramSettings, defaults: ConsentKeys): SegmentProgram | null {
  if (key === undefined) return null;
  const enter = { ...defaults.enter, ...own.enter };
  const leave = { ...defaults.leave, ...own.leave };
  const brake = (what: 'enter' | 'leave') => ({
    share: own.brakes?.[what]?.share ?? defaults.brakes?.[what]?.share ?? BRAKES[what].share,
    people: own.brakes?.[what]?.people ?? defaults.brakes?.[what]?.people ?? BRAKES[what].people,
  });
  return {
    key,
    existingOnly: enter.existing_profiles_only ?? true,
    consentHistory: enter.consent_history ?? null,
    leave: {
      does: leave.do ?? 'remove_from_list',
      ...(leave.all === true ? { all: true as const } : {}),
      after: leave.after ?? { runs: 2 },
    },
    brakes: { enter: brake('enter'), leave: brake('leave') },
  };
}
