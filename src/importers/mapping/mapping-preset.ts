import { isPhoneChannel, type ConsentChannel } from '../../contracts/channels.js';
import { cellText } from '../values/cell-text.js';
import { ConsentDates } from '../values/consent-date.js';
import type { Ask } from '../values/consent-value.js';
import { compileDateFormat, type ReadDate } from '../values/date-format.js';
import type { Header } from '../../connectors/header.js';
import { asksTheSame, type ImportOptions } from '../options.js';
import { refuseOtherName } from '../presets/file-name.js';
import { asksFor, cell, type ChannelClaim, type ListAsk, type Preset } from '../presets/preset.js';
import { SourceError } from '../../connectors/source-error.js';
import { OPT_OUT, saidBy } from '../values/said.js';
import type { Suppression } from '../values/suppression.js';
import type { ChannelMapping, Mapping } from './schema.js';

const REMEDY = 'Correct the mapping, or check that it belongs to this source.';

type Read<T> = (fields: readonly string[]) => T;

/** A mapping as a preset. */
export function mappingPreset(mapping: Mapping, now: Date): Preset {
  return {
    name: 'mapping',
    label: 'mapping file',
    fingerprint: {},
    operation: 'subscribe',
    bind(header, options) {
      const { phone, push, country, date_of_birth: born } = mapping;
      const channels = options.channels.map((channel) =>
        channelReader(header, mapping, channel, options, now),
      );
      const email = columnReader(header, mapping.email, 'email');
      const readPhone = columnReader(header, options.smsColumn ?? phone, 'phone');
      const readCountry = columnReader(header, country?.column, 'country');
      const suppression = asksFor(options, 'email') ? suppressionReader(header, mapping) : null;
      const list = listReader(header, mapping);
      const birth = columnReader(header, born?.column, 'date_of_birth');
      const birthDay = dayReader(born?.format);
      const token = columnReader(header, push?.token, 'push.token');
      const platform = columnReader(header, push?.platform, 'push.platform');
      return (fields) => {
        const named = { email: email(fields), phone: readPhone(fields) };
        return {
          ...named,
          country: country?.constant ?? readCountry(fields),
          channels: channels.map((read) => read(fields, named)),
          suppression: suppression?.(fields) ?? null,
          list: list(fields),
          dateOfBirth: birthDay(birth(fields)),
          pushToken: token(fields),
          pushPlatform: platform(fields),
        };
      };
    },
  };
}

function columnReader(header: Header, column: string | undefined, key: string): Read<string> {
  if (column === undefined) return () => '';
  const index = header.need(column, `The mapping names this column as ${key}.`, REMEDY);
  return (fields) => cell(fields, index);
}

interface Named {
  readonly email: string;
  readonly phone: string;
}

function channelReader(
  header: Header,
  mapping: Mapping,
  channel: ConsentChannel,
  options: ImportOptions,
  now: Date,
): (fields: readonly string[], named: Named) => ChannelClaim {
  const described = mapping.channels[channel];
  if (described === undefined) {
    const saysElse = mapping.suppressed !== undefined || mapping.list !== undefined;
    if (asksTheSame(options) || (channel === 'email' && saysElse)) {
      return () => ({ channel, ask: 'nothing', date: '', dateColumn: '' });
    }
    throw new SourceError(
      'channel_not_in_source',
      { file: header.file, line: header.line },
      `The run asks for ${channel} consent, but the mapping says nothing about it.`,
      `Add channels.${channel} to the mapping, or leave ${channel} out of --channels.`,
    );
  }
  const { consent, opted_out_date: leftDate = described.date } = described;
  const dated = (key: 'date' | 'opted_out_date', written: ChannelMapping['date']) =>
    dateReader(
      header,
      written,
      `channels.${channel}.${key}`,
      mapping.timezone ?? options.timezone,
      now,
    );
  const joined = dated('date', described.date);
  const left =
    leftDate === described.date
      ? joined
      : dated('opted_out_date', leftDate === 'none' ? undefined : leftDate);
  const ask =
    consent === undefined ? () => 'nothing' as const : askReader(header, channel, consent);
  if (consent?.constant === 'subscribed' && !asksTheSame(options)) refuseOtherName(header);
  const note = consent?.constant === 'subscribed' ? { note: 'consent_attested' } : {};
  const outs = (described.opted_out ?? []).map((column) =>
    columnReader(header, column, `channels.${channel}.opted_out`),
  );
  return (fields, named) => {
    const isOut = outs.some((read) => saidBy(read(fields), OPT_OUT) === 'unsubscribe');
    const asked = isOut ? 'unsubscribe' : ask(fields, named);
    const date = asked === 'subscribe' || asked === 'list_only' ? joined : left;
    return { channel, ask: asked, ...date(fields), ...(asked === 'subscribe' ? note : {}) };
  };
}

function dateReader(
  header: Header,
  date: ChannelMapping['date'],
  key: string,
  timezone: string | null,
  now: Date,
): Read<Pick<ChannelClaim, 'date' | 'dateColumn' | 'dates'>> {
  const read = columnReader(header, date?.column, key);
  const dates = new ConsentDates(
    date?.timezone ?? timezone,
    now,
    ...(date?.format === undefined ? [] : [compileDateFormat(date.format)]),
  );
  const dateColumn = date?.constant === undefined ? (date?.column ?? '') : `${key} of the mapping`;
  return (fields) => ({ date: date?.constant ?? read(fields), dateColumn, dates });
}

function askReader(
  header: Header,
  channel: ConsentChannel,
  consent: NonNullable<ChannelMapping['consent']>,
): (fields: readonly string[], named: Named) => Ask {
  const { constant, column } = consent;
  if (constant !== undefined) {
    const ask = ASKS[constant];
    // A constant for every row applies to the rows that the channel can reach.
    return (_, named) => (hasIdentifier(channel, named) ? ask : 'nothing');
  }
  const read = columnReader(header, column, `channels.${channel}.consent`);
  const meanings = new Map<string, Ask>([['', 'nothing']]);
  for (const meaning of ['subscribed', 'unsubscribed', 'list_only', 'never'] as const) {
    for (const word of consent[meaning] ?? []) meanings.set(word, ASKS[meaning]);
  }
  return (fields) => meanings.get(cellText(read(fields)).toLowerCase()) ?? 'unknown';
}

const ASKS = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
  list_only: 'list_only',
  never: 'no',
} as const satisfies Record<string, Ask>;

function hasIdentifier(channel: ConsentChannel, { email, phone }: Named): boolean {
  if (channel === 'push') return cellText(email) !== '' || cellText(phone) !== '';
  return cellText(isPhoneChannel(channel) ? phone : email) !== '';
}

function suppressionReader(header: Header, { suppressed }: Mapping): Read<Suppression | null> {
  if (suppressed === undefined) return () => null;
  const read = columnReader(header, suppressed.column, 'suppressed');
  const values = new Set(suppressed.values);
  const lifted = new Set(suppressed.lifted);
  return (fields) => {
    const word = cellText(read(fields)).toLowerCase();
    if (values.has(word)) return { ask: 'suppress', note: null };
    return lifted.has(word) ? { ask: 'lift', note: null } : null;
  };
}

function listReader(header: Header, { list }: Mapping): Read<ListAsk | null> {
  if (list === undefined) return () => null;
  const read = columnReader(header, list.column, 'list');
  const asks = new Map<string, ListAsk | null>([['', null]]);
  for (const ask of ['add', 'remove'] as const) {
    for (const word of list[ask]) asks.set(word, ask);
  }
  return (fields) => {
    const ask = asks.get(cellText(read(fields)).toLowerCase());
    return ask === undefined ? 'unknown' : ask;
  };
}

/** A date of birth in the source's format as `YYYY-MM-DD`; unchanged if it is not one. */
function dayReader(format: string | undefined): (text: string) => string {
  if (format === undefined) return (text) => text;
  const read: ReadDate = compileDateFormat(format);
  return (text) => {
    const day = read(cellText(text));
    if (day === null) return text;
    const parts = [day.year, day.month, day.day].map((part) => String(part).padStart(2, '0'));
    return parts.join('-');
  };
}
