import type { ConsentChannel } from '../../contracts/channels.js';
import type { ConsentDates } from '../values/consent-date.js';
import type { Ask } from '../values/consent-value.js';
import type { Fingerprint, Header } from '../../connectors/header.js';
import type { ImportOptions } from '../options.js';
import type { LayoutName } from './names.js';
import type { Suppression } from '../values/suppression.js';

export interface ChannelClaim {
  readonly channel: ConsentChannel;
  readonly ask: Ask;
  /** The date as in the row, and the column it was taken from. */
  readonly date: string;
  readonly dateColumn: string;
  /** How the date is written, if it is not ISO 8601 in the source's time zone. */
  readonly dates?: ConsentDates;
  /** A note about the claim for readers of the report. */
  readonly note?: string;
}

/** What a row asks about the run's list. `unknown`: a word that means neither. */
export type ListAsk = 'add' | 'remove' | 'unknown';

/** One row in the form that all presets produce; the values are as in the source. */
export interface RowClaim {
  readonly email: string;
  readonly phone: string;
  readonly country: string;
  /** One claim per channel that the run asks for. */
  readonly channels: readonly ChannelClaim[];
  /** About the e-mail address; takes precedence over what `channels` says about e-mail. */
  readonly suppression?: Suppression | null;
  /** About the membership of the run's list. */
  readonly list?: ListAsk | null;
  /** `YYYY-MM-DD` or blank. */
  readonly dateOfBirth?: string;
  readonly pushToken?: string;
  readonly pushPlatform?: string;
  /** Only of layouts that have several lines of one person. */
  readonly person?: PersonOfRow;
}

/** Whose line it is, where only the first line of a person says who they are. */
export interface PersonOfRow {
  /** The tool's own id of the person; blank if the line has none. */
  readonly id: string;
  /** The line says that another person begins. */
  readonly begins: boolean;
}

/**
 * Reads what a row says. A row that says it of several addresses of one person is several claims.
 *
 * @param line for messages
 * @throws SourceError for a row that only the operator can explain
 */
export type RowReader = (fields: readonly string[], line: number) => RowClaim | readonly RowClaim[];

/**
 * A layout of sources. To add one: a file with a `Preset`, its name in `PRESET_NAMES`, a line in
 * `PRESETS`, and a section in docs/sources.md. Most are an `ExportLayout`.
 */
export interface Preset {
  readonly name: LayoutName;
  /** Its name for people. */
  readonly label: string;
  /** Columns that it cannot do without: all of these hold. */
  readonly fingerprint: Fingerprint | readonly Fingerprint[];
  /**
   * Whether a source with these columns is recognised without being named; by default it is. Other tools
   * may have the same columns, where a word in them means something else.
   */
  readonly isOwn?: (header: Header) => boolean;
  /** It has rows of which it says nothing, and reads `attested` of the options for them. */
  readonly isAttestable?: boolean;
  /** The operation of a row that cannot be read at all. */
  readonly operation: 'subscribe' | 'unsubscribe' | 'suppress';
  /** Finds the columns of a source; throws `SourceError` if the run needs one that is missing. */
  bind(header: Header, options: ImportOptions): RowReader;
}

/** Reads a cell of a column that may be missing. */
export function cell(fields: readonly string[], index: number | null): string {
  return index === null ? '' : (fields[index] ?? '');
}

export function asksFor(options: ImportOptions, channel: ConsentChannel): boolean {
  return options.channels.includes(channel);
}
