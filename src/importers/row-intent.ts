import { isTextChannel, type Channel, type Operation } from '../contracts/channels.js';
import type { Intent, IntentPart } from '../contracts/intents.js';
import type { Reason } from '../contracts/outcomes.js';
import { attestedDate } from './values/attested-date.js';
import { cellText } from './values/cell-text.js';
import { ConsentDates, type DateReading } from './values/consent-date.js';
import { readDateOfBirth } from './values/date-of-birth.js';
import {
  channelRefusal,
  emailNotes,
  isNameless,
  personRefusal,
  phoneNotes,
  readIdentifiers,
  type Identifiers,
} from './identifiers.js';
import { accepted, noted, refused } from './intent-part.js';
import { isSilent, type ImportOptions, type SameForAll } from './options.js';
import type { ChannelClaim, ListAsk, Preset, RowClaim } from './presets/preset.js';
import { SourceError } from '../connectors/source-error.js';
import type { Suppression } from './values/suppression.js';
import type { Table } from '../connectors/table.js';

/** Longest identifier of a refused row that is kept for the report, in UTF-16 units. */
const RAW_MAX = 320;

/** A part that is replaced: its row is added to the list instead, with this note. */
interface ListInstead {
  readonly listNote: string | null;
}

/** Turns the rows of one source into intents: normalises, dates and refuses, part by part. */
export class RowIntents {
  readonly #dates: ConsentDates;
  readonly #attested: string | null;

  /** Throws `SourceError` for an invalid attested date. */
  constructor(
    private readonly table: Pick<Table, 'header' | 'counts'>,
    private readonly options: ImportOptions,
    private readonly operation: Preset['operation'],
  ) {
    this.#dates = new ConsentDates(options.timezone, options.now);
    this.#attested = attestedDate(table.header.file, options);
  }

  /** The intent of a row that could not be split into its columns. */
  malformed(line: number): Intent {
    return {
      line,
      email: null,
      phoneNumber: null,
      country: null,
      rawEmail: null,
      rawPhone: null,
      parts: [this.#refusedRow('row_malformed')],
    };
  }

  /** Throws `SourceError` for a date that needs a time zone if none is given. */
  read(line: number, row: RowClaim): Intent {
    const identifiers = readIdentifiers(row, this.options);
    const { email, phone, phoneNumber, rowCountry } = identifiers;
    const normalEmail = email.kind === 'valid' ? email.email : null;
    const phoneCountry = phone.kind === 'valid' || phone.kind === 'landline' ? phone.country : null;
    const born = this.#birth(row);
    const parts = this.#parts(line, row, identifiers, born === 'invalid');
    const push = pushDevice(row, parts);
    return {
      line,
      email: normalEmail,
      phoneNumber,
      country: phoneCountry ?? rowCountry,
      rawEmail: rawWhereItDiffers(row.email, normalEmail),
      rawPhone: phone.kind === 'missing' ? null : rawWhereItDiffers(row.phone, phoneNumber),
      ...(born === null || born === 'invalid' ? {} : { dateOfBirth: born }),
      ...(push === null ? {} : { push }),
      parts,
    };
  }

  /** The date of birth is for texts only, and is kept only if they are asked for. */
  #birth(row: RowClaim): string | null {
    if (row.dateOfBirth === undefined) return null;
    const texts = row.channels.some(
      ({ channel, ask }) => isTextChannel(channel) && ask === 'subscribe',
    );
    if (!texts) return null;
    const reading = readDateOfBirth(row.dateOfBirth, this.options.now);
    if (reading.kind === 'valid') return reading.day;
    return reading.kind === 'invalid' ? 'invalid' : null;
  }

  #parts(
    line: number,
    row: RowClaim,
    identifiers: Identifiers,
    birthUnread: boolean,
  ): readonly IntentPart[] {
    if (isNameless(row, identifiers)) {
      // Who says no is known by the key.
      const saidNo = row.channels.filter((claim) => this.#saysNo(claim)).map(saidNoPart);
      return saidNo.length > 0 ? saidNo : [this.#refusedRow('identifier_missing')];
    }
    const { operation = null, moves = false } = this.options;
    if (moves) return moveParts(identifiers);
    if (operation !== null) return this.#sameForAll(operation, identifiers);
    const suppression = row.suppression ?? null;
    const isOut = suppression !== null && suppression.ask !== 'lift';
    const parts: IntentPart[] = [];
    let listNote: string | null | undefined;
    for (const claim of row.channels) {
      if (isSilent(claim.ask, this.options)) continue;
      if (claim.channel === 'email' && outweighs(suppression, claim)) continue;
      if (this.#saysNo(claim)) {
        parts.push(saidNoPart(claim));
        continue;
      }
      const part = this.#channelPart(line, claim, identifiers);
      if ('listNote' in part) listNote ??= part.listNote;
      else parts.push(pushNote(birthUnread ? withBirthNote(part) : part, row));
    }
    if (suppression !== null) {
      parts.push(...this.#suppressionParts(suppression, parts, identifiers));
    }
    const list = row.list ?? null;
    if (list === 'add' && suppression?.ask === 'unknown') {
      parts.push(refused('list', 'add_to_list', 'consent_value_unknown'));
    } else if (list !== null) parts.push(listPart(list, identifiers, null));
    else if (listNote !== undefined && !isOut) parts.push(listPart('add', identifiers, listNote));
    if (parts.length > 0) return parts;
    const notes = row.channels.flatMap(({ note = null }) => (note === null ? [] : [note]));
    return [this.#refusedRow('nothing_asked', [...new Set(notes)])];
  }

  #saysNo({ ask }: ChannelClaim): boolean {
    return ask === 'no' && !isSilent(ask, this.options);
  }

  /** The parts of a row of which only the identifiers count. */
  #sameForAll(operation: SameForAll, identifiers: Identifiers): readonly IntentPart[] {
    if (operation === 'remove_from_list') return [listPart('remove', identifiers, null)];
    if (operation !== 'unsubscribe') {
      const ask = operation === 'suppress' ? 'suppress' : 'lift';
      return this.#suppressionParts({ ask, note: null }, [], identifiers);
    }
    const parts = this.options.channels.map((channel) => {
      const reason = channelRefusal(channel, identifiers);
      return reason === null
        ? accepted(channel, operation, null, phoneNotes(channel, identifiers))
        : refused(channel, operation, reason);
    });
    // Whoever has no number is not asked about texts.
    const isMissing = ({ rejected }: IntentPart) =>
      rejected === 'email_missing' || rejected === 'phone_missing';
    const named = parts.filter((part) => !isMissing(part));
    return named.length > 0 ? named : parts;
  }

  /** @param others the other parts of the row */
  #suppressionParts(
    { ask, note }: Suppression,
    others: readonly IntentPart[],
    identifiers: Identifiers,
  ): readonly IntentPart[] {
    const reason = channelRefusal('email', identifiers);
    const part = (channel: Channel, operation: Operation): IntentPart =>
      reason === null
        ? accepted(channel, operation, null, [note])
        : refused(channel, operation, reason);
    switch (ask) {
      case 'unsubscribe':
        return [part('email', 'unsubscribe')];
      case 'unknown':
        return [refused('suppression', 'suppress', 'consent_value_unknown')];
      case 'lift':
        return [part('suppression', 'unsuppress')];
      case 'suppress': {
        const isUnsubscribed = others.some(({ channel }) => channel === 'email');
        return this.options.floor === 'unsubscribe' && !isUnsubscribed
          ? [part('suppression', 'suppress'), part('email', 'unsubscribe')]
          : [part('suppression', 'suppress')];
      }
    }
  }

  #channelPart(
    line: number,
    claim: ChannelClaim,
    identifiers: Identifiers,
  ): IntentPart | ListInstead {
    const { channel, ask } = claim;
    if (ask === 'list_only') return { listNote: claim.note ?? null };
    if (ask === 'unknown') {
      return this.#refusedNo(claim, 'subscribe', 'consent_value_unknown', identifiers);
    }
    const operation = ask === 'unsubscribe' ? 'unsubscribe' : 'subscribe';
    if (operation === 'subscribe' && this.options.consent === 'implicit') {
      return { listNote: 'implicit_consent' };
    }
    const reason = channelRefusal(channel, identifiers);
    if (reason !== null) {
      return operation === 'unsubscribe'
        ? this.#refusedNo(claim, operation, reason, identifiers)
        : refused(channel, operation, reason);
    }
    const notes = [
      claim.note ?? null,
      ...phoneNotes(channel, identifiers),
      ...(operation === 'subscribe' ? emailNotes(channel, identifiers) : []),
    ];
    const date = this.#dateOf(claim);
    if (date.kind === 'zone_needed') throw this.#zoneNeeded(line, claim);
    if (date.kind === 'valid') {
      return accepted(channel, operation, date.at, [
        date.clamped ? 'clamped_to_1990' : null,
        ...notes,
      ]);
    }
    // An opt-out counts whatever its date is.
    if (operation === 'unsubscribe') {
      const note = date.kind === 'missing' ? null : 'date_not_used';
      return accepted(channel, operation, null, [note, ...notes]);
    }
    if (date.kind === 'invalid') return refused(channel, operation, 'consent_date_invalid');
    if (date.kind === 'future') return refused(channel, operation, 'consent_date_in_future');
    if (this.#attested !== null) {
      return accepted(channel, operation, this.#attested, ['date_attested', ...notes]);
    }
    if (this.options.undated === 'reject')
      return refused(channel, operation, 'consent_date_missing');
    if (this.options.undated === 'list_only') return { listNote: 'undated' };
    return accepted(channel, operation, null, notes);
  }

  /**
   * Refuses what may be an opt-out. A date without a known zone counts as no date here: a row that
   * is refused anyway does not stop the import.
   */
  #refusedNo(
    claim: ChannelClaim,
    operation: Operation,
    reason: Reason,
    identifiers: Identifiers,
  ): IntentPart {
    const { channel } = claim;
    const date = this.#dateOf(claim);
    const said = date.kind === 'valid' ? date : { at: null, clamped: false };
    return refused(channel, operation, reason, said.at, [
      said.clamped ? 'clamped_to_1990' : null,
      ...phoneNotes(channel, identifiers),
    ]);
  }

  #dateOf(claim: ChannelClaim): DateReading {
    return (claim.dates ?? this.#dates).read(claim.date);
  }

  #refusedRow(reason: Reason, notes: readonly string[] = []): IntentPart {
    const { channels, operation = null, moves = false } = this.options;
    const row = (channel: Channel, asked: Operation) =>
      refused(channel, asked, reason, null, notes);
    if (moves) return row('list', 'add_to_list');
    const asked = operation ?? this.operation;
    if (asked === 'suppress' || asked === 'unsuppress') return row('suppression', asked);
    if (asked === 'remove_from_list') return row('list', asked);
    return row(channels.includes('email') ? 'email' : (channels[0] ?? 'email'), asked);
  }

  #zoneNeeded(line: number, claim: ChannelClaim): SourceError {
    const { header, counts } = this.table;
    const place = { file: header.file, column: claim.dateColumn };
    return new SourceError(
      'timezone_needed',
      counts === 'rows' ? { ...place, row: line } : { ...place, line },
      'The dates of this source have no time zone, and guessing one could move consent by a day.',
      'Give their time zone with --timezone, e.g. --timezone UTC or --timezone America/New_York.',
    );
  }
}

/**
 * Whether what a row says about the suppression of its address outweighs what it says about consent to
 * e-mail. A suppression, or a word that may mean one, outweighs everything but a clear opt-out.
 */
function outweighs(suppression: Suppression | null, { ask }: ChannelClaim): boolean {
  if (suppression === null || suppression.ask === 'lift') return false;
  return suppression.ask === 'unsubscribe' || ask !== 'unsubscribe';
}

function saidNoPart({ channel }: ChannelClaim): IntentPart {
  return refused(channel, 'subscribe', 'says_no');
}

/** @param ask `unknown` may mean a removal */
function listPart(ask: ListAsk, identifiers: Identifiers, note: string | null): IntentPart {
  if (ask === 'unknown') return refused('list', 'remove_from_list', 'list_value_unknown');
  const operation = ask === 'add' ? 'add_to_list' : 'remove_from_list';
  const reason = personRefusal(identifiers);
  return reason === null
    ? accepted('list', operation, null, [note])
    : refused('list', operation, reason);
}

/** Onto the run's list, and off another one after that. */
function moveParts(identifiers: Identifiers): readonly IntentPart[] {
  const joins = listPart('add', identifiers, null);
  return joins.rejected === null
    ? [joins, accepted('old_list', 'remove_from_list', null, [])]
    : [joins];
}

/** Klaviyo then handles the number as it would without a date of birth. */
function withBirthNote(part: IntentPart): IntentPart {
  return isTextChannel(part.channel) ? noted(part, 'date_of_birth_not_used') : part;
}

function pushNote(part: IntentPart, row: RowClaim): IntentPart {
  const unread = cellText(row.pushToken ?? '') !== '' && deviceOf(row) === null;
  return part.channel === 'push' && unread ? noted(part, 'push_token_not_used') : part;
}

function pushDevice(
  row: RowClaim,
  parts: readonly IntentPart[],
): NonNullable<Intent['push']> | null {
  const asked = parts.some(({ channel, rejected }) => channel === 'push' && rejected === null);
  return asked ? deviceOf(row) : null;
}

/** Null if there is no token, PostgreSQL cannot store it, or its platform is unknown. */
function deviceOf(row: RowClaim): NonNullable<Intent['push']> | null {
  const token = cellText(row.pushToken ?? '');
  const platform = platformOf(row);
  return token === '' || token.includes('\0') || platform === null ? null : { token, platform };
}

function platformOf(row: RowClaim): 'ios' | 'android' | null {
  const word = cellText(row.pushPlatform ?? '').toLowerCase();
  return word === 'ios' || word === 'android' ? word : null;
}

function rawWhereItDiffers(raw: string, normalised: string | null): string | null {
  if (raw === normalised || raw.trim() === '') return null;
  // PostgreSQL's text cannot hold NUL.
  return raw.slice(0, RAW_MAX).replaceAll('\0', '\uFFFD');
}
