import { isPhoneChannel, type ConsentChannel } from '../../contracts/channels.js';
import type { Fingerprint, Header } from '../../connectors/header.js';
import { SourceError } from '../../connectors/source-error.js';
import { asksTheSame, type ImportOptions } from '../options.js';
import { cellText } from '../values/cell-text.js';
import { ConsentDates, readIso } from '../values/consent-date.js';
import { compileDateFormat } from '../values/date-format.js';
import { saidBy, together, type Said, type Vocabulary } from '../values/said.js';
import type { Names } from './column-layout.js';
import { refuseOtherName } from './file-name.js';
import type { PresetName } from './names.js';
import { cell, type ChannelClaim, type Preset, type RowClaim } from './preset.js';

/** A column, or several with names that begin alike, that says something about a channel. */
export interface SayingColumn extends Vocabulary {
  /** The first that exists counts; a name that ends in `*` is every column that begins so. */
  readonly column: Names;
  /** The export may lack it: then nothing is said. Else consent cannot be told without it. */
  readonly isOptional?: boolean;
}

/** Columns with dates, of which the first that is not blank counts. */
export interface DateColumns {
  readonly columns: Names;
  /** Time zone of dates without one, if the tool always uses the same. */
  readonly timezone?: string;
  /** How dates are written, if not in ISO 8601. */
  readonly formats?: readonly string[];
}

/** What an export says about one channel. */
export interface ExportedChannel {
  /** What a row says by being in the file. By default nothing. */
  readonly everyRow?: Said;
  /** Of what they say, the most careful counts. */
  readonly says: readonly SayingColumn[];
  /** When consent was given. */
  readonly date?: DateColumns;
  /** When it was withdrawn. */
  readonly left?: DateColumns;
  /**
   * Asks about rows that say nothing, where only the operator knows which people the file has.
   * Otherwise they are left alone.
   */
  readonly ask?: { readonly problem: string; readonly remedy: string };
}

/** An export of another tool: its columns, their words and its dates. */
export interface ExportLayout {
  readonly name: PresetName;
  /** Its name for people: the tool and what it exports. */
  readonly label: string;
  readonly fingerprint: readonly Fingerprint[];
  readonly isOwn?: Preset['isOwn'];
  readonly email?: Names;
  readonly phone?: Names;
  readonly country?: Names;
  readonly channels: Partial<Record<ConsentChannel, ExportedChannel>>;
  /** The tool stores numbers with their country code, but writes them without the plus. */
  readonly isPhoneWithoutPlus?: boolean;
  /** Only the first of several lines of a person has the address: how lines of one person are told. */
  readonly person?: { readonly id: Names; readonly begins: Names };
}

/** What an export is made of that has nothing but opt-outs: a run may ask for more channels. */
const OUT: readonly Said[] = ['unsubscribe', 'bounced', 'complained'];

/** An export of another tool as a preset. */
export function exportPreset(layout: ExportLayout): Preset {
  const { name, label, fingerprint, isOwn } = layout;
  const everyRow = Object.values(layout.channels).map((channel) => channel.everyRow);
  return {
    name,
    label,
    fingerprint,
    ...(isOwn === undefined ? {} : { isOwn }),
    isAttestable: Object.values(layout.channels).some(maySayNothing),
    operation: everyRow.includes('bounced')
      ? 'suppress'
      : everyRow.includes('unsubscribe')
        ? 'unsubscribe'
        : 'subscribe',
    bind: (header, options) => bindExport(header, options, layout),
  };
}

function maySayNothing({ everyRow, says }: ExportedChannel): boolean {
  const isSilent = ({ words }: SayingColumn) => Object.values(words).includes('silent');
  return everyRow === undefined && says.every(isSilent);
}

/** Finds the columns of an export. Throws `SourceError`. */
export function bindExport(
  header: Header,
  options: ImportOptions,
  layout: ExportLayout,
): (fields: readonly string[], line: number) => RowClaim {
  const channels = channelsOf(header, options, layout).map(([channel, exported]) =>
    bindChannel(header, options, channel, exported),
  );
  const email = identifier(header, options, layout, 'email');
  const phone = identifier(header, options, layout, 'phone');
  const country = header.findAny(layout.country ?? []);
  const id = header.findAny(layout.person?.id ?? []);
  const begins = header.findAny(layout.person?.begins ?? []);
  return (fields, line) => {
    const number = cell(fields, phone);
    const named = {
      email: cell(fields, email),
      phone: layout.isPhoneWithoutPlus === true ? withPlus(number) : number,
    };
    const read = channels.map((each) => each(fields, named, line));
    return {
      ...named,
      country: cell(fields, country),
      channels: read.map(({ claim }) => claim),
      suppression: read.find(({ suppression }) => suppression !== null)?.suppression ?? null,
      ...(id === null && begins === null
        ? {}
        : { person: { id: cellText(cell(fields, id)), begins: isYes(cell(fields, begins)) } }),
    };
  };
}

function isYes(text: string): boolean {
  return ['true', 'yes', '1'].includes(cellText(text).toLowerCase());
}

/** Only what cannot be a national number becomes an international one. */
function withPlus(number: string): string {
  const text = cellText(number);
  return /^[1-9][\d\s().-]{6,}$/.test(text) ? `+${text}` : number;
}

/** The channels of the run that the export is about. */
function channelsOf(
  header: Header,
  options: ImportOptions,
  layout: ExportLayout,
): [ConsentChannel, ExportedChannel][] {
  if (asksTheSame(options)) return [];
  const found = options.channels.flatMap((channel): [ConsentChannel, ExportedChannel][] => {
    const exported = layout.channels[channel];
    return exported === undefined ? [] : [[channel, exported]];
  });
  const missing = options.channels.find((channel) => layout.channels[channel] === undefined);
  const isOuts = Object.values(layout.channels).every(
    ({ everyRow }) => everyRow !== undefined && OUT.includes(everyRow),
  );
  if (missing === undefined || (isOuts && found.length > 0)) return found;
  const known = Object.keys(layout.channels).join(', ');
  throw new SourceError(
    'channel_not_in_source',
    { file: header.file, line: header.line },
    `The run asks for ${missing} consent, but this export (${layout.label}) says nothing about it.`,
    found.length > 0
      ? `Leave ${missing} out of --channels, or say with --map which columns mean what.`
      : `Give --channels ${known}, or say with --map which columns mean what.`,
  );
}

function identifier(
  header: Header,
  options: ImportOptions,
  layout: ExportLayout,
  kind: 'email' | 'phone',
): number | null {
  const isEmail = kind === 'email';
  const names =
    isEmail || options.smsColumn === undefined ? (layout[kind] ?? []) : [options.smsColumn];
  const isOf = (channel: ConsentChannel) =>
    isEmail ? channel === 'email' : isPhoneChannel(channel);
  const channel = options.channels.find(isOf);
  // The number beside an address counts only if the run is about numbers.
  if (channel === undefined) return isEmail ? header.findAny(names) : null;
  const found = header.findAny(names);
  const isNeeded = layout.channels[channel] !== undefined;
  if (found !== null || !isNeeded) return found;
  const more = isEmail ? '' : ', name the column with --sms-column,';
  return header.need(
    names[0] ?? channel,
    `The run asks for ${channel} consent, and this export (${layout.label}) has it in this column.`,
    `Export it again with the column${more} or leave ${channel} out of --channels.`,
  );
}

interface Named {
  readonly email: string;
  readonly phone: string;
}

type ReadChannel = (
  fields: readonly string[],
  named: Named,
  line: number,
) => { readonly claim: ChannelClaim; readonly suppression: RowClaim['suppression'] };

function bindChannel(
  header: Header,
  options: ImportOptions,
  channel: ConsentChannel,
  exported: ExportedChannel,
): ReadChannel {
  const { everyRow = 'silent', ask } = exported;
  const attested = options.attested ?? null;
  if (everyRow === 'subscribe' || attested !== null) refuseOtherName(header);
  const says = exported.says.map((column) => sayingColumn(header, channel, column));
  const date = dateReader(header, options, exported.date);
  const left = dateReader(header, options, exported.left);
  return (fields, named, line) => {
    const isNamed = cellText(isPhoneChannel(channel) ? named.phone : named.email) !== '';
    // Whoever has no number is not asked about texts. A row of a file of addresses should have one.
    const base = isNamed || channel === 'email' ? everyRow : 'silent';
    const heard = together([base, ...says.flatMap((read) => read(fields))]);
    const { suppression } = heard;
    if (heard.ask !== 'silent') {
      const when = heard.ask === 'subscribe' || heard.ask === 'list_only' ? date : left;
      const note = heard.note === null ? {} : { note: heard.note };
      return { claim: { channel, ask: heard.ask, ...when(fields), ...note }, suppression };
    }
    if (attested !== null && isNamed) {
      const note = 'consent_attested';
      return { claim: { channel, ask: 'subscribe', ...date(fields), note }, suppression };
    }
    if (ask !== undefined && isNamed && suppression === null) {
      throw new SourceError(
        'status_not_told',
        { file: header.file, line },
        ask.problem,
        ask.remedy,
      );
    }
    const note = isNamed && everyRow === 'silent' ? { note: 'consent_not_recorded' } : {};
    return { claim: { channel, ask: 'nothing', date: '', dateColumn: '', ...note }, suppression };
  };
}

function sayingColumn(
  header: Header,
  channel: ConsentChannel,
  { column: names, isOptional = false, ...vocabulary }: SayingColumn,
): (fields: readonly string[]) => readonly Said[] {
  const places = placesOf(header, names);
  const [name = ''] = names;
  if (places.length === 0 && !isOptional) {
    throw new SourceError(
      'consent_column_missing',
      { file: header.file, line: header.line, column: name },
      `Who consented to ${channel} cannot be told without this column. The source has: ${header.list()}.`,
      `Export it again with the column, or leave ${channel} out of --channels.`,
    );
  }
  return (fields) => places.map((place) => saidBy(cell(fields, place), vocabulary));
}

function placesOf(header: Header, names: Names): readonly number[] {
  for (const name of names) {
    if (!name.endsWith('*')) {
      const place = header.find(name);
      if (place !== null) return [place];
      continue;
    }
    const start = name.slice(0, -1).toLowerCase();
    const places = header.columns.flatMap((column, place) =>
      column.toLowerCase().startsWith(start) ? [place] : [],
    );
    if (places.length > 0) return places;
  }
  return [];
}

type ReadDateColumn = (
  fields: readonly string[],
) => Pick<ChannelClaim, 'date' | 'dateColumn' | 'dates'>;

function dateReader(
  header: Header,
  options: ImportOptions,
  exported: DateColumns | undefined,
): ReadDateColumn {
  if (exported === undefined) return () => ({ date: '', dateColumn: '' });
  const { columns, timezone, formats = [] } = exported;
  const places = columns.flatMap((column) => {
    const place = header.find(column);
    return place === null ? [] : [{ place, dateColumn: header.columns[place] ?? column }];
  });
  const readers = [readIso, ...formats.map(compileDateFormat)];
  const dates = new ConsentDates(timezone ?? options.timezone, options.now, (text) => {
    for (const read of readers) {
      const written = read(text);
      if (written !== null) return written;
    }
    return null;
  });
  return (fields) => {
    const filled = places.find(({ place }) => cell(fields, place).trim() !== '') ?? places.at(-1);
    if (filled === undefined) return { date: '', dateColumn: '' };
    return { date: cell(fields, filled.place), dateColumn: filled.dateColumn, dates };
  };
}
