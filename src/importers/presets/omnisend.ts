import type { ConsentChannel } from '../../contracts/channels.js';
import { ConsentDates } from '../values/consent-date.js';
import type { Header } from '../../connectors/header.js';
import type { ImportOptions } from '../options.js';
import { asksFor, cell, type ChannelClaim, type Preset } from './preset.js';
import { SourceError } from '../../connectors/source-error.js';

const COLUMNS: Partial<Record<ConsentChannel, { optIn: string; optOut: string }>> = {
  email: { optIn: 'Email opt-in date', optOut: 'Email opt-out date' },
  sms: { optIn: 'SMS opt-in date', optOut: 'SMS opt-out date' },
};

/**
 * Omnisend's export of contacts: an opt-in and an opt-out date for each channel, of which the newer
 * counts. Both are blank if somebody never subscribed. A date alone means 12:00.
 */
export const omnisend: Preset = {
  name: 'omnisend',
  label: 'Omnisend, contacts',
  fingerprint: {
    oneOf: ['Email', 'Phone', 'Phone number'],
    andOneOf: Object.values(COLUMNS).map(({ optIn }) => optIn),
  },
  operation: 'subscribe',
  bind(header, options) {
    const channels = options.channels.map((channel) => channelColumns(header, options, channel));
    const phoneNames =
      options.smsColumn === undefined ? ['Phone', 'Phone number'] : [options.smsColumn];
    const email = header.findAny(['Email', 'Email address']);
    const country = header.findAny(['Country code', 'Country']);
    const phone = asksFor(options, 'sms') ? header.findAny(phoneNames) : null;
    if (asksFor(options, 'email') && email === null) needColumn(header, 'Email', 'email');
    if (asksFor(options, 'sms') && phone === null) needColumn(header, phoneNames[0] ?? '', 'sms');
    return (fields) => ({
      email: cell(fields, email),
      phone: cell(fields, phone),
      country: cell(fields, country),
      channels: channels.map((read) => read(fields)),
    });
  },
};

function needColumn(header: Header, column: string, channel: string): void {
  header.need(
    column,
    `The run asks for ${channel} consent.`,
    `Leave ${channel} out of --channels.`,
  );
}

function channelColumns(
  header: Header,
  options: ImportOptions,
  channel: ConsentChannel,
): (fields: readonly string[]) => ChannelClaim {
  const columns = COLUMNS[channel];
  const place = { file: header.file, line: header.line };
  if (columns === undefined) {
    throw new SourceError(
      'channel_not_in_source',
      place,
      `The run asks for ${channel} consent, but Omnisend's export says nothing about it.`,
      `Leave ${channel} out of --channels.`,
    );
  }
  const optIn = header.find(columns.optIn);
  const optOut = header.find(columns.optOut);
  if (optIn === null || optOut === null) {
    throw new SourceError(
      'consent_column_missing',
      { ...place, column: optIn === null ? columns.optIn : columns.optOut },
      `The run asks for ${channel} consent, which needs both dates. The source has: ${header.list()}.`,
      `Export the contacts again with both dates, or leave ${channel} out of --channels.`,
    );
  }
  const dates = new ConsentDates(options.timezone, options.now);
  return (fields) => {
    const joined = { date: cell(fields, optIn), dateColumn: columns.optIn };
    const left = { date: cell(fields, optOut), dateColumn: columns.optOut };
    const ask = newerOf(dates, joined.date, left.date);
    return { channel, ask, ...(ask === 'unsubscribe' ? left : joined) };
  };
}

/** Dates that cannot be compared count as an opt-out, since the export records one. */
function newerOf(dates: ConsentDates, joined: string, left: string): ChannelClaim['ask'] {
  const leaving = dates.read(left);
  if (leaving.kind === 'missing') return joined.trim() === '' ? 'nothing' : 'subscribe';
  const joining = dates.read(joined);
  // If either date has no zone, the import stops and names it.
  if (joining.kind === 'zone_needed' && leaving.kind !== 'zone_needed') return 'subscribe';
  const cameBack = joining.kind === 'valid' && leaving.kind === 'valid' && joining.at > leaving.at;
  return cameBack ? 'subscribe' : 'unsubscribe';
}
