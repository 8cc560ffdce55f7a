import { OPERATIONS } from '../../../consent/operations/index.js';
import type { StoppingFailure } from '../../../contracts/failures.js';
import type { MigrationSettings, Preflight, SmsSetup } from '../../../contracts/migration.js';
import { endpointOf, type EndpointName, type RateLimitReading } from '../../../klaviyo/index.js';
import type { AskedRows } from '../../../ledger/index.js';
import type { AccountFacts } from './facts.js';
import { EVENT_ENDPOINTS, neededEndpoints } from './needs.js';
import { optInStop } from './opt-in.js';
import { senderStop, smsSetup } from './texts.js';
import { countedRows } from './words.js';

export interface Stop {
  readonly type: StoppingFailure;
  readonly message: string;
}

/** What the account and the source mean for the run. If `stops` is empty, it may start. */
export interface Verdict {
  readonly preflight: Preflight;
  readonly stops: readonly Stop[];
}

/**
 * Decides from the facts whether the run may start. Pure.
 *
 * @param rows what the source asks for; null in a check, where there is no source
 * @param limitsOf an endpoint's limits, as Klaviyo's answers named them
 */
export function judge(
  facts: AccountFacts,
  settings: MigrationSettings,
  rows: AskedRows | null,
  limitsOf: (endpoint: EndpointName) => RateLimitReading | null,
): Verdict {
  const { access, accountId, list } = facts;
  const operations = rows?.operations ?? ['subscribe'];
  const subscribes = operations.includes('subscribe');
  const who = rows === null ? 'everybody' : countedRows(rows.subscribes);
  const needed = neededEndpoints(settings, operations);
  const process = list?.optInProcess ?? null;
  const optInProcess = process ?? settings.expectedOptIn;
  const stops: Stop[] = [];
  const warnings: string[] = [];
  const stop = (type: StoppingFailure, message: string | null) => {
    if (message !== null) stops.push({ type, message });
  };

  const refusal = access.refusalOf(needed);
  stop('KlaviyoScopeMissing', refusal);
  // Nothing more is known about a list that could not be read.
  if (subscribes && access.allows('get_list') !== false) {
    stop('OptInProcessUnexpected', optInStop(settings, process, who));
  }
  stop('ConsentDatesMissing', undatedStop(settings, rows));
  for (const operation of operations) {
    stop('SettingsInvalid', OPERATIONS[operation].lacks(settings));
  }

  let sms: SmsSetup = { source: 'not_needed', countries: [] };
  if (facts.texts !== null && accountId !== null) {
    const reading = smsSetup(facts.texts, settings, rows?.texts ?? null);
    stop('SmsNotConfigured', reading.stop);
    if (reading.setup !== null) {
      sms = reading.setup;
      if (reading.warning !== null) warnings.push(reading.warning);
      stop('SmsNotConfigured', senderStop(sms, settings, rows?.texts ?? []));
    }
  }

  const limits = limitsOfRun(needed, access.allows('get_events') === true, limitsOf);
  if (subscribes && !settings.historicalImport) {
    if (optInProcess === 'double_opt_in') {
      warnings.push(
        `The opt-in process is double opt-in: Klaviyo asks ${who} to confirm with a message, and ` +
          'consent shows only after the click.',
      );
    }
    const live = list?.flows?.filter(({ status }) => status === 'live') ?? [];
    if (live.length > 0) {
      const names = live.map(({ id, name }) => name ?? id);
      warnings.push(
        `Joining list ${list?.id ?? ''} starts ${live.length} live ${live.length === 1 ? 'flow' : 'flows'} ` +
          `for ${who}: ${names.join(', ')}. Turn them off in Klaviyo during the run, or ` +
          'use --historical, unless these messages are intended.',
      );
    }
  }
  if (EVENT_ENDPOINTS.some((endpoint) => access.allows(endpoint) === false)) {
    warnings.push(
      'The key may not read events (scopes metrics:read, events:read): consent is read back from ' +
        'profiles and list members instead, which takes about ten times the calls, and an opt-out of ' +
        'texts during the run is noticed only when the person is looked up again.',
    );
  }
  for (const { endpoint, steady, documented } of limits) {
    if (steady >= documented) continue;
    warnings.push(
      `Klaviyo allows this account ${steady} calls a minute to ${endpoint}, but documents ` +
        `${documented}: the run keeps to the lower limit and takes longer.`,
    );
  }
  return {
    stops,
    preflight: {
      accountId: accountId ?? '',
      list: list !== null && process !== null ? { id: list.id, optInProcess: process } : null,
      optInProcess,
      sms,
      flows: list?.flows ?? null,
      limits: limits.map(({ documented: _, ...limit }) => limit),
      access: [...new Set([...needed, ...EVENT_ENDPOINTS])].map((endpoint) => ({
        endpoint,
        scopes: endpointOf(endpoint).scopes,
        allowed: access.allows(endpoint),
      })),
      warnings,
    },
  };
}

/** A historical run sends dates; the operator decides what happens to rows without one. */
function undatedStop(settings: MigrationSettings, rows: AskedRows | null): string | null {
  if (!settings.stopOnUndated || rows === null || rows.undated === 0) return null;
  return (
    `${countedRows(rows.undated)} have no consent date, and --historical sends dates. Attest one ` +
    'with --consented-at 2024-05-01, put these people on the list without consent with --undated ' +
    'list_only, or leave them out and report them with --undated reject.'
  );
}

type Limit = Preflight['limits'][number] & { readonly documented: number };

function limitsOfRun(
  needed: readonly EndpointName[],
  events: boolean,
  limitsOf: (endpoint: EndpointName) => RateLimitReading | null,
): Limit[] {
  const called = new Set([...needed, ...(events ? (['get_events'] as const) : [])]);
  return [...called].map((endpoint) => {
    const { burst, steady } = endpointOf(endpoint);
    const seen = limitsOf(endpoint);
    return {
      endpoint,
      burst: seen?.burst ?? burst,
      steady: seen?.steady ?? steady,
      remaining: seen?.remaining ?? null,
      windowSeconds: seen?.window ?? null,
      documented: steady,
    };
  });
}
