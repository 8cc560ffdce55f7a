import type { Action, Channel } from '../contracts/channels.js';
import type { Intent, IntentPart } from '../contracts/intents.js';
import type { Reason } from '../contracts/outcomes.js';
import { cellText } from './cell-text.js';
import { ConsentDates } from './consent-date.js';
import { readEmail, type EmailReading } from './email.js';
import type { ImportOptions } from './options.js';
import { countryCode, readPhone, type PhoneReading } from './phone.js';
import type { ChannelClaim, RowClaim } from './preset.js';
import { SourceError } from './source-error.js';

/** Longest identifier of a refused row that is kept for the report, in UTF-16 units. */
const RAW_MAX = 320;

interface Identifiers {
  readonly email: EmailReading;
  readonly phone: PhoneReading;
}

/** Turns what rows of one file say into intents: normalises, dates and refuses, part by part. */
export class RowIntents {
  readonly #dates: ConsentDates;

  constructor(
    private readonly file: string,
    private readonly options: ImportOptions,
    private readonly action: 'subscribe' | 'unsubscribe',
  ) {
    this.#dates = new ConsentDates(options.timezone, options.now);
  }

  /** The intent of a row that could not be cut into its columns. */
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

  /** Throws `SourceError` for a date that needs a time zone nobody gave. */
  read(line: number, row: RowClaim): Intent {
    const email = readEmail(row.email);
    const phone = this.#readPhone(row, email);
    const phoneNumber = phone.kind === 'valid' ? phone.phoneNumber : null;
    const normalEmail = email.kind === 'valid' ? email.email : null;
    return {
      line,
      email: normalEmail,
      phoneNumber,
      country: (phone.kind === 'valid' ? phone.country : null) ?? countryCode(row.country),
      rawEmail: rawWhereItDiffers(row.email, normalEmail),
      rawPhone: phone.kind === 'missing' ? null : rawWhereItDiffers(row.phone, phoneNumber),
      parts: this.#parts(line, row, { email, phone }),
    };
  }

  /** A number is read only where SMS is asked for it, or where it is all that names the person. */
  #readPhone(row: RowClaim, email: EmailReading): PhoneReading {
    const smsAsked = row.channels.some(
      ({ channel, ask }) => channel === 'sms' && ask !== 'nothing',
    );
    const onlyName = email.kind === 'missing' && this.options.channels.includes('sms');
    if (!smsAsked && !onlyName) return { kind: 'missing' };
    return readPhone(row.phone, row.country, this.options.country);
  }

  #parts(line: number, row: RowClaim, identifiers: Identifiers): readonly IntentPart[] {
    if (identifiers.email.kind === 'missing' && cellText(row.phone) === '') {
      return [this.#refusedRow('identifier_missing')];
    }
    const parts: IntentPart[] = [];
    let listNote: string | null | undefined;
    for (const claim of row.channels) {
      if (claim.ask === 'nothing') continue;
      if (claim.ask === 'list_only') {
        listNote ??= null;
        continue;
      }
      const part = this.#channelPart(line, claim, identifiers);
      if (part === 'undated') listNote = 'undated';
      else parts.push(part);
    }
    if (listNote !== undefined) {
      const rejected = listRefusal(identifiers);
      parts.push(
        rejected === null
          ? accepted('list', 'add_to_list', null, listNote)
          : refused('list', 'add_to_list', rejected),
      );
    }
    return parts.length > 0 ? parts : [this.#refusedRow('nothing_asked')];
  }

  #channelPart(
    line: number,
    claim: ChannelClaim,
    identifiers: Identifiers,
  ): IntentPart | 'undated' {
    const { channel } = claim;
    if (claim.ask === 'unknown') return refused(channel, 'subscribe', 'consent_value_unknown');
    const action = claim.ask === 'unsubscribe' ? 'unsubscribe' : 'subscribe';
    const reason =
      channel === 'email' ? emailRefusal(identifiers.email) : phoneRefusal(identifiers.phone);
    if (reason !== null) return refused(channel, action, reason);
    const date = this.#dates.read(claim.date);
    if (date.kind === 'zone_needed') throw this.#zoneNeeded(line, claim);
    if (date.kind === 'valid') {
      const note = date.clamped ? 'clamped_to_1990' : null;
      return accepted(channel, action, date.at, note);
    }
    // An opt-out counts whatever its date says.
    if (action === 'unsubscribe') {
      const note = date.kind === 'missing' ? null : 'date_not_used';
      return accepted(channel, action, null, note);
    }
    if (date.kind === 'invalid') return refused(channel, action, 'consent_date_invalid');
    if (date.kind === 'future') return refused(channel, action, 'consent_date_in_future');
    if (this.options.undated === 'reject') return refused(channel, action, 'consent_date_missing');
    return this.options.undated === 'list_only' ? 'undated' : accepted(channel, action, null, null);
  }

  #refusedRow(reason: Reason): IntentPart {
    const channel = this.options.channels.includes('email') ? 'email' : 'sms';
    return refused(channel, this.action, reason);
  }

  #zoneNeeded(line: number, claim: ChannelClaim): SourceError {
    return new SourceError(
      'timezone_needed',
      { file: this.file, line, column: claim.dateColumn },
      'The dates of this file have no time zone, and guessing one could move consent by a day.',
      'Say which one they are in with --timezone, e.g. --timezone UTC or --timezone America/New_York.',
    );
  }
}

function accepted(
  channel: Channel,
  action: Action,
  consentedAt: string | null,
  note: string | null,
): IntentPart {
  return { channel, action, consentedAt, rejected: null, note };
}

function refused(channel: Channel, action: Action, reason: Reason): IntentPart {
  return { channel, action, consentedAt: null, rejected: reason, note: null };
}

function emailRefusal(email: EmailReading): Reason | null {
  if (email.kind === 'missing') return 'email_missing';
  return email.kind === 'invalid' ? 'email_invalid' : null;
}

function phoneRefusal(phone: PhoneReading): Reason | null {
  if (phone.kind === 'missing') return 'phone_missing';
  return phone.kind === 'refused' ? phone.reason : null;
}

/** A list member is known by its e-mail, and by its phone number only where it has no e-mail. */
function listRefusal({ email, phone }: Identifiers): Reason | null {
  if (email.kind === 'missing' && phone.kind !== 'missing') return phoneRefusal(phone);
  return emailRefusal(email);
}

function rawWhereItDiffers(raw: string, normalised: string | null): string | null {
  if (raw === normalised || raw.trim() === '') return null;
  // PostgreSQL's text cannot hold a NUL.
  return raw.slice(0, RAW_MAX).replaceAll('\0', '\uFFFD');
}
