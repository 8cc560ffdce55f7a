import type { SandboxAccount } from '../../account/account.js';
import type { Identifiers } from '../../account/profiles/identity.js';
import type { Grant } from '../../account/consent/subscribe-row.js';
import { TRACKING_KEYS } from '../../store/channel.js';
import { instantOf, spokenDate } from '../../time/dates.js';
import {
  isBoolean,
  isText,
  listOf,
  optional,
  refuseRows,
  resourceOf,
  rowsOf,
} from '../http/body.js';
import type { AskedConsent } from './asked-consents.js';
import { consentRow, isError, type ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { lastOfEach, repeatedRows, type CheckedRow } from './repeated-rows.js';
import { rulePhone } from './subscribe-phone.js';

const MAX_PROFILES = 1_000;
const TYPE = 'profile-subscription-bulk-create-job';
const KNOWN = new Set(['profiles', 'historical_import', 'custom_source']);
const OLDEST_CONSENT = Date.UTC(1990, 0, 1);

/**
 * `bulk_subscribe_profiles`: all rows or none are accepted; accepted rows are applied later. A
 * header reports a dropped phone, but does not say whose it was.
 */
export function subscribe({ account, body, forms }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE, KNOWN);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const historical = optional(attributes, 'historical_import', isBoolean, 'boolean') ?? false;
  const customSource = optional(attributes, 'custom_source', isText, 'string');
  const listId = listOf(account, relationships)?.id ?? null;
  const checked = given.map((value, i) =>
    check(account, consentRow(value, i, 'SUBSCRIBED', forms), historical),
  );
  if (account.settings.switches.duplicateRows === 'reject') {
    for (const [row, entry] of repeatedRows(checked)) checked[row] = { entry };
  }
  refuseRows(
    account,
    checked.flatMap((row) => ('entry' in row ? [row.entry] : [])),
  );
  const accepted = checked.flatMap((row) => ('entry' in row ? [] : [row]));
  const rows = accepted.map(({ sent }) => sent);
  account.log.carried({ rows, listId, historical, customSource });
  account.subscribing.accept({ rows: lastOfEach(accepted), listId, historical, customSource });
  const dropped = accepted.some(({ phoneDropped }) => phoneDropped);
  return {
    status: 202,
    profiles: accepted.length,
    headers: dropped ? { 'x-klaviyo-partial-failure': 'phone_number' } : {},
  };
}

function check(
  account: SandboxAccount,
  sent: ConsentRow | ErrorEntry,
  historical: boolean,
): CheckedRow {
  if (isError(sent)) return { entry: sent };
  const profile = sent.profileId === null ? undefined : account.profiles.withId(sent.profileId);
  if (sent.profileId !== null && profile === undefined) {
    const detail = `A profile with id ${sent.profileId} does not exist.`;
    return { entry: invalid(`${sent.pointer}/id`, detail) };
  }
  const now = account.clock.wall();
  const ruling = rulePhone(sent, account, now);
  if (ruling.use === 'refuse') return { entry: ruling.entry };
  const phoneDropped = ruling.use === 'drop';
  const identifiers = {
    email: sent.email,
    phone: phoneDropped ? null : sent.phone,
    anonymousId: sent.anonymousId,
    written: sent.written ?? undefined,
    ...(profile === undefined ? {} : { profile }),
  };
  const known = account.identities.find(identifiers);
  const people = known === undefined ? [] : peopleOf(account, known, identifiers);
  const grants: Grant[] = [];
  for (const asked of sent.asked) {
    const dated = consentDate(asked, historical, now);
    if (typeof dated === 'object' && dated !== null) return { entry: dated };
    for (const index of people) {
      const entry = backdated(account, index, asked, dated);
      if (entry !== undefined) return { entry };
    }
    const lost = asked.channel === 'sms' ? ruling.use !== 'keep' : phoneDropped;
    if (lost && (asked.channel === 'sms' || asked.channel === 'whatsapp')) continue;
    grants.push({ key: asked.key, consentedAt: dated });
  }
  return { row: { identifiers, grants, tokens: sent.tokens }, sent, phoneDropped };
}

/** All profiles that the row will change. */
const peopleOf = ({ identities }: SandboxAccount, index: number, identifiers: Identifiers) => [
  index,
  ...identities.twins(index, identifiers).map((twin) => twin.index),
];

/** Epoch ms; null for consent given now. */
function consentDate(
  asked: AskedConsent,
  historical: boolean,
  now: number,
): number | null | ErrorEntry {
  const pointer = `${asked.pointer}/consented_at`;
  if (!historical) {
    // Documented as an error; the wording is ours.
    return asked.consentedAt === undefined
      ? null
      : invalid(pointer, "'consented_at' is only allowed when 'historical_import' is true.");
  }
  if (TRACKING_KEYS.includes(asked.key)) return null;
  const ms = typeof asked.consentedAt === 'string' ? instantOf(asked.consentedAt) : undefined;
  return ms === undefined || ms > now
    ? invalid(
        pointer,
        `historical ${asked.channel} subscription does not have a valid consented_at timestamp`,
      )
    : Math.max(ms, OLDEST_CONSENT);
}

/** Klaviyo refuses a past date that contradicts its existing state; seen live for e-mail. */
function backdated(
  account: SandboxAccount,
  index: number,
  asked: AskedConsent,
  date: number | null,
): ErrorEntry | undefined {
  const present = account.profiles.channel(asked.key).get(index);
  if (date === null || present === null) return undefined;
  const dated = `backdated consent date [${spokenDate(date)}]`;
  const since = spokenDate(present.timestamp);
  const pointer = `${asked.pointer}/consented_at`;
  if (present.consent === 'UNSUBSCRIBED' && date < present.timestamp) {
    return invalid(pointer, `${dated} is before current unsubscription date [${since}]`);
  }
  if (present.consent === 'SUBSCRIBED' && date > present.timestamp) {
    return invalid(pointer, `${dated} is after current subscription date [${since}]`);
  }
  return undefined;
}
