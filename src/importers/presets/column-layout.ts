import { isPhoneChannel, type ConsentChannel } from '../../contracts/channels.js';
import { consentAsk } from '../values/consent-value.js';
import type { Header } from '../../connectors/header.js';
import { asksTheSame, type ImportOptions } from '../options.js';
import { asksFor, cell, type ChannelClaim, type RowReader } from './preset.js';
import { listAsk } from '../values/list-value.js';
import { SourceError } from '../../connectors/source-error.js';
import type { Suppression } from '../values/suppression.js';

/** Possible names of a column; the first that exists counts. */
export type Names = readonly string[];

/** A layout with a consent column for each channel. */
export interface ColumnLayout {
  readonly email: Names;
  readonly phone: Names;
  readonly country: Names;
  readonly channels: Partial<
    Record<ConsentChannel, { readonly consent: Names; readonly date: Names }>
  >;
  readonly dateOfBirth?: Names;
  readonly pushToken?: Names;
  readonly pushPlatform?: Names;
  /** Reads what a row says about its suppression; null if the header has no column for it. */
  readonly suppression?: (
    header: Header,
  ) => ((fields: readonly string[]) => Suppression | null) | null;
  /** The column about the run's list. */
  readonly list?: Names;
  /** What to do about a missing consent column, given its channel and its usual name. */
  readonly remedy: (channel: ConsentChannel, column: string) => string;
}

/**
 * Binds a layout to a header. The columns of a channel count only if the run asks for the channel,
 * and its consent column is then needed: an address alone is not consent. Only a file that says who
 * is suppressed or on the list, or a run that asks the same of everybody, does not need it.
 */
export function bindColumns(
  header: Header,
  options: ImportOptions,
  layout: ColumnLayout,
): RowReader {
  const suppression = asksFor(options, 'email') ? (layout.suppression?.(header) ?? null) : null;
  const list = header.findAny(layout.list ?? []);
  const saysElse = suppression !== null || list !== null;
  const channels = options.channels
    .map((channel) => channelColumns(header, options, layout, channel, saysElse))
    .filter((columns) => columns !== null);
  const email = asksFor(options, 'email')
    ? needIdentifier(header, layout.email, 'e-mail consent', 'email')
    : header.findAny(layout.email);
  const phone = phoneColumn(header, options, layout);
  const country = header.findAny(layout.country);
  const dateOfBirth = header.findAny(layout.dateOfBirth ?? []);
  const pushToken = header.findAny(layout.pushToken ?? []);
  const pushPlatform = header.findAny(layout.pushPlatform ?? []);
  return (fields) => ({
    email: cell(fields, email),
    phone: cell(fields, phone),
    country: cell(fields, country),
    channels: channels.map((columns) => claim(fields, columns)),
    suppression: suppression === null ? null : suppression(fields),
    list: list === null ? null : listAsk(cell(fields, list)),
    dateOfBirth: cell(fields, dateOfBirth),
    pushToken: cell(fields, pushToken),
    pushPlatform: cell(fields, pushPlatform),
  });
}

interface ChannelColumns {
  readonly channel: ConsentChannel;
  /** Null: every row asks for what `silence` says. */
  readonly consent: number | null;
  readonly silence: 'subscribe' | 'list_only';
  readonly date: number | null;
  readonly dateColumn: string;
}

function channelColumns(
  header: Header,
  options: ImportOptions,
  layout: ColumnLayout,
  channel: ConsentChannel,
  saysElse: boolean,
): ChannelColumns | null {
  const names = layout.channels[channel];
  const consent = header.findAny(names?.consent ?? []);
  if (names === undefined || consent === null) {
    if (asksTheSame(options) || (channel === 'email' && saysElse)) return null;
    const isImplied = channel === 'email' && options.consent === 'implicit';
    const isInSegment = names !== undefined && (options.segment ?? null) !== null;
    if (!isImplied && !isInSegment) throw consentMissing(header, layout, channel);
  }
  const date = header.findAny(names?.date ?? []) ?? historyColumn(header, options);
  const dateColumn = date === null ? '' : (header.columns[date] ?? '');
  return { channel, consent, silence: silenceOf(options), date, dateColumn };
}

/** Whoever is in a segment consents; else an address alone is no consent. */
function silenceOf({ segment = null }: ImportOptions): ChannelColumns['silence'] {
  return segment === null ? 'list_only' : 'subscribe';
}

function historyColumn(header: Header, { segment = null }: ImportOptions): number | null {
  const column = segment?.consentHistory ?? null;
  if (column === null) return null;
  return header.need(
    column,
    'The program takes the dates of consent from this column.',
    'Select it in the query, or correct enter.consent_history.',
  );
}

function consentMissing(
  header: Header,
  layout: ColumnLayout,
  channel: ConsentChannel,
): SourceError {
  const place = { file: header.file, line: header.line };
  const names = layout.channels[channel];
  const column = names?.consent[0];
  if (column === undefined) {
    return new SourceError(
      'channel_not_in_source',
      place,
      `The run asks for ${channel} consent, but this preset has no column for it.`,
      `Leave ${channel} out of --channels, or say with --map which columns mean what.`,
    );
  }
  return new SourceError(
    'consent_column_missing',
    { ...place, column },
    `The run asks for ${channel} consent, but no column says who gave it. The source has: ${header.list()}.`,
    layout.remedy(channel, column),
  );
}

function phoneColumn(header: Header, options: ImportOptions, layout: ColumnLayout): number | null {
  const names = options.smsColumn === undefined ? layout.phone : [options.smsColumn];
  const channel = options.channels.find(isPhoneChannel);
  if (channel !== undefined) return needIdentifier(header, names, `${channel} consent`, channel);
  return asksFor(options, 'push') ? header.findAny(names) : null;
}

function needIdentifier(
  header: Header,
  names: Names,
  what: string,
  channel: ConsentChannel,
): number {
  const found = header.findAny(names);
  if (found !== null) return found;
  const more = isPhoneChannel(channel) ? ', name the column with --sms-column,' : '';
  return header.need(
    names[0] ?? channel,
    `The run asks for ${what}.`,
    `Add it${more} or leave ${channel} out of --channels.`,
  );
}

function claim(fields: readonly string[], columns: ChannelColumns): ChannelClaim {
  const { channel, consent, silence, date, dateColumn } = columns;
  return {
    channel,
    ask: consent === null ? silence : consentAsk(cell(fields, consent)),
    date: cell(fields, date),
    dateColumn,
    ...(consent === null && silence === 'list_only' ? { note: 'implicit_consent' } : {}),
  };
}
