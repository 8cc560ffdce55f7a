import type { SandboxAccount } from '../../account/account.js';
import type { Grant, SubscribeRow } from '../../account/subscribing.js';
import { instantOf, spokenDate } from '../../dates.js';
import { listOf, refuseRows, resourceOf, rowPointer, rowsOf } from '../body.js';
import { consentRow, isError, type AskedConsent, type ConsentRow } from './consent-rows.js';
import { invalid, type ErrorEntry } from '../errors.js';
import type { Call, Reply } from '../operation.js';
import { rulePhone } from './subscribe-phone.js';

const MAX_PROFILES = 1_000;
const TYPE = 'profile-subscription-bulk-create-job';
const OLDEST_CONSENT = Date.UTC(1990, 0, 1);

/** `bulk_subscribe_profiles`: all rows or none are accepted; what was accepted happens later. */
export function subscribe({ account, body }: Call): Reply {
  const { attributes, relationships } = resourceOf(body, TYPE);
  const given = rowsOf(attributes, TYPE, MAX_PROFILES);
  const list = listOf(account, relationships);
  const historical = attributes['historical_import'] === true;
  const checked = given.map((value, i) => check(account, value, i, historical));
  const { duplicateRows } = account.settings.switches;
  const repeated = duplicatesOf(checked);
  if (duplicateRows === 'reject') for (const [row, entry] of repeated) checked[row] = { entry };
  refuseRows(
    account,
    checked.flatMap((row) => ('entry' in row ? [row.entry] : [])),
  );
  const accepted = checked.flatMap((row) => ('entry' in row ? [] : [row]));
  const listId = list?.id ?? null;
  account.log.carried(
    accepted.map(({ sent }) => sent),
    listId,
    historical,
  );
  const customSource = attributes['custom_source'];
  account.subscribing.accept({
    rows: lastOfEach(accepted),
    listId,
    historical,
    customSource: typeof customSource === 'string' ? customSource : null,
  });
  const dropped = accepted.some(({ phoneDropped }) => phoneDropped);
  return {
    status: 202,
    profiles: accepted.length,
    headers: dropped ? { 'x-klaviyo-partial-failure': 'phone_number' } : {},
  };
}

interface AcceptedRow {
  row: SubscribeRow;
  sent: ConsentRow;
  phoneDropped: boolean;
}
type CheckedRow = AcceptedRow | { entry: ErrorEntry };

function check(
  account: SandboxAccount,
  value: unknown,
  i: number,
  historical: boolean,
): CheckedRow {
  const sent = consentRow(value, i, 'SUBSCRIBED');
  if (isError(sent)) return { entry: sent };
  const profile = sent.profileId === null ? undefined : account.profiles.withId(sent.profileId);
  if (sent.profileId !== null && profile === undefined) {
    const detail = `A profile with id ${sent.profileId} does not exist.`;
    return { entry: invalid(`${sent.pointer}/id`, detail) };
  }
  const now = account.clock.wall();
  const ruling = rulePhone(sent, account.settings, now);
  if (ruling.use === 'refuse') return { entry: ruling.entry };
  const phone = ruling.use === 'drop' ? null : sent.phone;
  const identifiers = { email: sent.email, phone, ...(profile === undefined ? {} : { profile }) };
  const index = account.identities.find(identifiers);
  const grants: Grant[] = [];
  for (const asked of sent.asked) {
    const dated = consentDate(asked, historical, now);
    if (typeof dated === 'object' && dated !== null) return { entry: dated };
    const entry = index === undefined ? undefined : backdated(account, index, asked, dated);
    if (entry !== undefined) return { entry };
    const needsText = asked.channel === 'sms' || asked.channel === 'whatsapp';
    if (needsText && ruling.use !== 'keep') continue;
    grants.push({ key: asked.key, consentedAt: dated });
  }
  return { row: { identifiers, grants }, sent, phoneDropped: ruling.use === 'drop' };
}

/** Epoch ms; null for consent given now. */
function consentDate(
  asked: AskedConsent,
  historical: boolean,
  now: number,
): number | null | ErrorEntry {
  const pointer = `${asked.pointer}/consented_at`;
  if (!historical) {
    // Documented as an error; the words are ours.
    return asked.consentedAt === undefined
      ? null
      : invalid(pointer, "'consented_at' is only allowed when 'historical_import' is true.");
  }
  if (asked.key === 'email.open_tracking') return null;
  const ms = typeof asked.consentedAt === 'string' ? instantOf(asked.consentedAt) : undefined;
  return ms === undefined || ms > now
    ? invalid(
        pointer,
        `historical ${asked.channel} subscription does not have a valid consented_at timestamp`,
      )
    : Math.max(ms, OLDEST_CONSENT);
}

/** Klaviyo refuses a past date that contradicts what it already holds; seen live for e-mail. */
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

/** Rows whose e-mail or phone an earlier row had. The words are ours: none is recorded. */
function duplicatesOf(rows: readonly CheckedRow[]): Map<number, ErrorEntry> {
  const seen = new Set<string>();
  const duplicates = new Map<number, ErrorEntry>();
  rows.forEach((row, i) => {
    if ('entry' in row) return;
    const { email, phone } = row.row.identifiers;
    for (const [field, value] of [['email', email] as const, ['phone_number', phone] as const]) {
      if (value === null) continue;
      if (seen.has(value)) {
        const pointer = `${rowPointer(i)}/attributes/${field}`;
        duplicates.set(i, invalid(pointer, 'Duplicate profile identifiers in request.'));
      }
      seen.add(value);
    }
  });
  return duplicates;
}

/** Of the rows with one e-mail (or, without, one phone) the last. */
function lastOfEach(rows: readonly AcceptedRow[]): SubscribeRow[] {
  const last = new Map<string, SubscribeRow>();
  for (const { row } of rows) {
    const { email, phone, profile } = row.identifiers;
    last.set(email ?? phone ?? String(profile), row);
  }
  return [...last.values()];
}
