import type { Figures } from './measure/figures.js';
import type { Floor } from './measure/floors.js';
import type { ServerFacts } from './measure/server-facts.js';

/** What `npm run bench -- NAME` measures. */
export interface Scenario {
  readonly name: string;
  /** What it measures, in one line. */
  readonly line: string;
  readonly rows: number;
  /** Its own flags, without the dashes, each with what it does. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly floors: readonly Floor[];
  /** Scenarios whose results it can be compared with, by `--before` or `--scales`. @default its own */
  readonly comparesWith?: readonly string[];
  run(options: RunOptions): Promise<Measured>;
}

/** A benchmark of its own that prints its own tables, with its own arguments and no floors. */
export interface Script {
  readonly name: string;
  readonly line: string;
  /** Below the repository, without its extension. */
  readonly path: string;
}

export interface RunOptions {
  readonly rows: number;
  /** The scenario's own flags that were given. */
  readonly flags: ReadonlySet<string>;
  /** Says what is being done. */
  readonly note: (what: string) => void;
}

export interface Measured {
  readonly figures: Figures;
  /** Null if the scenario was skipped before it started any. */
  readonly servers: ServerFacts | null;
  /** What explains the figures, without floors: tables by their titles. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Values over time, for a plot: in the file only. */
  readonly curves?: Readonly<Record<string, readonly unknown[]>>;
  /** Why nothing was measured. */
  readonly skipped?: string;
}
