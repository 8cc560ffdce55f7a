import type { MigrationSettings, Preflight, SmsSetup } from '../contracts/migration.js';
import { isTextChannel, TEXT_CHANNELS, type OptInProcess } from '../contracts/channels.js';
import { getMigration, hasOpenParts, setPhase, setPreflight } from '../ledger/index.js';
import type { KlaviyoClient } from '../klaviyo/index.js';
import type { ActivityDependencies } from './dependencies.js';
import { stopping } from './failures.js';
import { whileHeartbeating } from './heartbeats.js';

/** Reads what the run depends on, and stops it before anything is sent. */
export function createPreflight({ ledger, klaviyo }: ActivityDependencies) {
  // Klaviyo allows 15 calls a minute for it, and the account of a key never changes.
  let known: string | null = null;
  const accountId = async (signal: AbortSignal): Promise<string> =>
    (known ??= (await klaviyo.getAccount({ signal })).id);

  return {
    /** Preflight of a migration; kept in the ledger. */
    async preflight({ migrationId }: { migrationId: string }): Promise<Preflight> {
      const { settings } = await getMigration(ledger.db, migrationId);
      await setPhase(ledger.db, migrationId, 'preflight');
      const smsRows = await hasOpenParts(ledger.db, migrationId, TEXT_CHANNELS);
      const preflight = await whileHeartbeating(async (signal) =>
        readAccount(klaviyo, await accountId(signal), settings, smsRows, signal),
      );
      await setPreflight(ledger.db, migrationId, preflight);
      return preflight;
    },

    /** The same reads for `consentry check`: nothing is kept. */
    async checkAccount({ settings }: { settings: MigrationSettings }): Promise<Preflight> {
      const smsRows = settings.channels.some(isTextChannel);
      return whileHeartbeating(async (signal) =>
        readAccount(klaviyo, await accountId(signal), settings, smsRows, signal),
      );
    },
  };
}

async function readAccount(
  klaviyo: KlaviyoClient,
  accountId: string,
  settings: MigrationSettings,
  smsRows: boolean,
  signal: AbortSignal,
): Promise<Preflight> {
  const list = settings.listId === null ? null : await klaviyo.getList(settings.listId, { signal });
  const process = list?.optInProcess ?? null;
  const optInProcess = process ?? settings.expectedOptIn;
  checkOptIn(settings, process);
  // A harmless read with the scope that the guard and every read-back need.
  await klaviyo.lookUpProfiles(
    { by: 'email', values: ['preflight@consentry.invalid'] },
    { signal },
  );
  const warnings: string[] = [];
  const sms = smsRows
    ? await readSmsSetup(klaviyo, accountId, settings, warnings, signal)
    : { source: 'not_needed' as const, countries: [] };
  if (optInProcess === 'double_opt_in' && !settings.historicalImport) {
    warnings.push(
      'The opt-in process is double opt-in: Klaviyo sends every person a message, and consent ' +
        'shows only after the click.',
    );
  }
  return {
    accountId,
    list: list !== null && process !== null ? { id: list.id, optInProcess: process } : null,
    optInProcess,
    sms,
    flows: null,
    limits: [],
    warnings,
  };
}

/** Nobody gets a double opt-in message by surprise, and nobody is opted in singly by surprise. */
function checkOptIn(settings: MigrationSettings, listProcess: OptInProcess | null): void {
  const { expectedOptIn, historicalImport, listId } = settings;
  if (historicalImport) return;
  if (listProcess === null) {
    if (expectedOptIn !== null) return;
    throw stopping(
      'OptInProcessUnexpected',
      (listId === null
        ? 'Without a list the account’s default opt-in process applies, which the API does not show'
        : `Klaviyo does not say which opt-in process list ${listId} has`) +
        ': say which one it is with --opt-in single or --opt-in double.',
    );
  }
  if (expectedOptIn === null && listProcess === 'double_opt_in') {
    throw stopping(
      'OptInProcessUnexpected',
      `List ${listId ?? ''} is a double opt-in list: Klaviyo would send every person a message to ` +
        'confirm. Give --opt-in double if that is meant, --historical to import consent that was ' +
        'given before, or another list.',
    );
  }
  if (expectedOptIn !== null && expectedOptIn !== listProcess) {
    throw stopping(
      'OptInProcessUnexpected',
      `List ${listId ?? ''} is ${listProcess}, and --opt-in expects ${expectedOptIn}. Change the ` +
        'list’s opt-in process in Klaviyo, choose another list, or correct --opt-in.',
    );
  }
}

async function readSmsSetup(
  klaviyo: KlaviyoClient,
  accountId: string,
  settings: MigrationSettings,
  warnings: string[],
  signal: AbortSignal,
): Promise<SmsSetup> {
  const configuration = await klaviyo.getTextMessagingConfiguration(accountId, { signal });
  const senders = await klaviyo.listTextMessagingSenders({ signal });
  if (!senders.readable || (!configuration.readable && configuration.status === 403)) {
    return declaredCountries(settings);
  }
  const countries = new Set(
    senders.value.flatMap((sender) =>
      sender.status === 'active' && sender.country !== null ? [sender.country] : [],
    ),
  );
  const active = configuration.readable && configuration.value.status === 'active';
  if (!active || countries.size === 0) {
    throw stopping(
      'SmsNotConfigured',
      `Klaviyo account ${accountId} cannot send SMS (${active ? 'it has no active sender' : 'SMS is not set up or disabled'}), ` +
        'and the source has SMS consent. Turn on SMS and add a sending number in Klaviyo, or leave ' +
        'sms out of --channels.',
    );
  }
  const undeclared = settings.smsCountries?.filter((country) => !countries.has(country)) ?? [];
  if (undeclared.length > 0) {
    warnings.push(
      `No active sender for ${undeclared.join(', ')}, though --sms-countries names it.`,
    );
  }
  return { source: 'api', countries: [...countries].sort() };
}

function declaredCountries(settings: MigrationSettings): SmsSetup {
  if (settings.smsCountries !== null && settings.smsCountries.length > 0) {
    return { source: 'declared', countries: settings.smsCountries };
  }
  throw stopping(
    'SmsNotConfigured',
    'The key may not read the SMS set-up (scope sender-config:read, a beta of Klaviyo), and the ' +
      'source has SMS consent. Name the countries that have a sending number with ' +
      '--sms-countries US,CA, or leave sms out of --channels.',
  );
}
