import type { ConsentChannel } from '../../contracts/channels.js';
import type { ConsentDates } from '../values/consent-date.js';
import type { Ask } from '../values/consent-value.js';
import type { Fingerprint, Header } from '../../connectors/header.js';
import type { ImportOptions } from '../options.js';
import type { LayoutName } from './names.js';
import { SourceError } from '../../connectors/source-error.js';
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
}

export type RowReader = (fields: readonly string[]) => RowClaim;

/**
 * A layout of sources. To add one: a file with a `Preset`, its name in `PRESET_NAMES`, a line in
 * `PRESETS`.
 */
export interface Preset {
  readonly name: LayoutName;
  /** Its name for people. */
  readonly label: string;
  readonly fingerprint: Fingerprint;
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

/** For presets that are about e-mail only. Throws `SourceError`. */
export function needEmailAsked(header: Header, options: ImportOptions, what: string): void {
  if (asksFor(options, 'email')) return;
  throw new SourceError(
    'channel_not_in_source',
    { file: header.file, line: header.line },
    `The file has ${what} only, but the run does not ask for e-mail.`,
    'Add email to --channels.',
  );
}
