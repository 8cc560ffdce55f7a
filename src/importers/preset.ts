import type { ConsentChannel } from '../contracts/channels.js';
import type { Fingerprint, Header } from './header.js';
import type { ImportOptions, PresetName } from './options.js';

/** What a row says about one channel. `nothing`: no consent was ever given or taken back. */
export type Ask = 'subscribe' | 'unsubscribe' | 'list_only' | 'nothing' | 'unknown';

export interface ChannelClaim {
  readonly channel: ConsentChannel;
  readonly ask: Ask;
  /** The date as it stands in the row, and the column it was taken from. */
  readonly date: string;
  readonly dateColumn: string;
}

/** One row in the words of all layouts; the values are as they stand in the file. */
export interface RowClaim {
  readonly email: string;
  readonly phone: string;
  readonly country: string;
  readonly channels: readonly ChannelClaim[];
}

export type RowReader = (fields: readonly string[]) => RowClaim;

/** One layout of files. Adding one: a file with a `Preset`, its name in `PRESET_NAMES`, its line in `PRESETS`. */
export interface Preset {
  readonly name: PresetName;
  /** What a person would call it. */
  readonly label: string;
  readonly fingerprint: Fingerprint;
  /** What a row asks that cannot be read at all. */
  readonly action: 'subscribe' | 'unsubscribe';
  /** Finds the columns of a file; throws `SourceError` where the run needs one that is not there. */
  bind(header: Header, options: ImportOptions): RowReader;
}

/** Reads a cell of a column that may be missing. */
export function cell(fields: readonly string[], index: number | null): string {
  return index === null ? '' : (fields[index] ?? '');
}

export function asksFor(options: ImportOptions, channel: ConsentChannel): boolean {
  return options.channels.includes(channel);
}
