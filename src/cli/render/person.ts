import type {
  Person,
  PersonChannel,
  PersonConsent,
  PersonProfile,
} from '../../contracts/person.js';
import type { PersonPart } from '../../ledger/index.js';
import { counted } from './quantities.js';
import { table } from './table.js';

export interface ShownPerson {
  readonly person: Person;
  /** Null if Klaviyo was not asked or did not answer. */
  readonly klaviyo: PersonConsent | null;
  /** Why Klaviyo did not answer. */
  readonly failure: string | null;
  /** Oldest first. */
  readonly history: readonly PersonPart[];
}

/** One person: Klaviyo's consent now, then every run, newest first. */
export function renderPerson({ person, klaviyo, failure, history }: ShownPerson): string {
  return [
    person.value,
    ...(klaviyo === null ? [] : [renderLive(klaviyo)]),
    ...(failure === null ? [] : ['Klaviyo was not read.']),
    renderHistory(history),
  ].join('\n\n');
}

function renderLive({ readAt, profiles }: PersonConsent): string {
  if (profiles.length === 0) return `Klaviyo, read ${readAt}: no such profile.`;
  return profiles
    .map((profile) => `Klaviyo, read ${readAt}:\n${renderProfile(profile)}`)
    .join('\n\n');
}

function renderProfile(profile: PersonProfile): string {
  const identifiers = [profile.email, profile.phoneNumber].filter((each) => each !== null);
  const lines = [`profile ${profile.id}: ${identifiers.join(', ')}`];
  lines.push(
    profile.channels.length === 0
      ? 'It has no consent for any channel.'
      : table(
          [{ head: 'channel' }, { head: 'consent' }, { head: 'since' }, { head: 'how' }],
          profile.channels.map((held) => [
            held.channel,
            held.consent,
            held.consentedAt ?? '',
            howWords(held),
          ]),
        ),
    ...profile.tracking.map(
      ({ of, consent, consentedAt, validUntil }) =>
        `Tracking of ${of} in e-mail: ${consent}${sinceWords(consentedAt)}` +
        (validUntil === null ? '' : ` until ${validUntil}`),
    ),
    ...profile.suppressions.map(({ reason, timestamp }) =>
      reason === 'unstated'
        ? 'Klaviyo does not say whether the profile is suppressed for e-mail.'
        : `Suppressed for e-mail: ${reason}${sinceWords(timestamp)}`,
    ),
    ...(profile.listSuppressions?.map(
      ({ listId, reason, timestamp }) =>
        `Suppressed on list ${listId}: ${reason}${sinceWords(timestamp)}`,
    ) ?? ['Klaviyo does not say which lists the profile left.']),
  );
  return lines.join('\n');
}

function howWords({ method, customSource, doubleOptIn, canReceive }: PersonChannel): string {
  return [
    method,
    customSource,
    doubleOptIn === true ? 'double opt-in' : null,
    canReceive === false ? 'gets none' : null,
  ]
    .filter((word) => word !== null)
    .join(', ');
}

const sinceWords = (at: string | null): string => (at === null ? '' : ` since ${at}`);

function renderHistory(history: readonly PersonPart[]): string {
  if (history.length === 0) return 'Ledger: no migration has a row with this identifier.';
  const runs = new Map<string, PersonPart[]>();
  for (const part of history) {
    runs.set(part.migrationId, [...(runs.get(part.migrationId) ?? []), part]);
  }
  return [
    `Ledger: ${counted(runs.size, 'migration')}, newest first`,
    ...[...runs.values()].reverse().map(renderRun),
  ].join('\n\n');
}

function renderRun(parts: readonly PersonPart[]): string {
  const [first] = parts;
  if (first === undefined) return '';
  const list = first.listId === null ? 'no list' : `list ${first.listId}`;
  return [
    `Migration ${first.migrationId}, ${first.startedAt.toISOString()}: ${first.sourceName} (${first.preset}), ${list}, custom source "${first.customSource}"`,
    ...parts.map(renderPart),
  ].join('\n');
}

function renderPart(part: PersonPart): string {
  const { outcome, reason, settledBy, settledAt, consentBefore, consentBeforeAt } = part;
  const ended = outcome === null ? 'open' : `${outcome}${reason === null ? '' : ` (${reason})`}`;
  const lines = [
    `line ${part.line}, ${part.channel}: ${part.operation} -> ${ended}`,
    askedWords(part),
  ];
  if (consentBefore !== null) {
    lines.push(`before   ${consentBefore}${sinceWords(timeOf(consentBeforeAt))}`);
  }
  if (part.sentAt !== null) {
    lines.push(
      `sent     ${part.sentAt.toISOString()}${part.requestId === null ? '' : `, Klaviyo's request ${part.requestId}`}`,
    );
  }
  if (part.consentAfter !== null) {
    lines.push(
      `read     ${part.consentAfter}${sinceWords(timeOf(part.consentAfterAt))}, read ${timeOf(part.readAt) ?? ''}`,
    );
  }
  if (part.askedAt !== null) {
    lines.push(`clicks   asked for ${part.askedAt.toISOString()} by an earlier run`);
  }
  if (settledAt !== null) lines.push(`settled  ${settledAt.toISOString()} by ${settledBy ?? ''}`);
  return lines.map((line, index) => `${index === 0 ? '  ' : '    '}${line}`).join('\n');
}

/** The date of an opt-out or of an unknown value is not a consent date. */
function askedWords({ operation, reason, consentedAt, note }: PersonPart): string {
  const isConsent = operation === 'subscribe' && reason !== 'consent_value_unknown';
  const dated =
    consentedAt === null
      ? `without a ${isConsent ? 'consent ' : ''}date`
      : `${isConsent ? 'with consent of' : 'dated'} ${consentedAt.toISOString()}`;
  return `asked    ${dated}${note === null ? '' : `, ${note}`}`;
}

function timeOf(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
