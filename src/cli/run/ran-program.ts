import type { SegmentFound } from '../../contracts/segments.js';
import type { Report } from '../../starter/migrations/report.js';
import type { ExitCode } from '../exit-codes.js';

/** The contacts of a program's source, or why they could not be counted. */
export interface Contacts {
  readonly contacts: number | null;
  readonly failure: string | null;
}

/** What became of a program. The keys and values are stable: they are in `--json`. */
export interface RanProgram {
  readonly program: string;
  /**
   * `done`, `planned` (a dry run), `cancelled`; `stopped` after something was sent, `failed` before;
   * `started` with `--detach`, `watched_no_more` after Ctrl-C or a lost connection; `skipped` without a channel, and
   * `not_started` after Ctrl-C.
   */
  readonly status:
    | 'done'
    | 'planned'
    | 'cancelled'
    | 'stopped'
    | 'failed'
    | 'started'
    | 'watched_no_more'
    | 'skipped'
    | 'not_started';
  readonly exitCode: ExitCode;
  /** Why it ended otherwise than planned; null if it did not. */
  readonly failure: string | null;
  /** Id of its migration; null if none was started. */
  readonly migration: string | null;
  /** As `report --json` prints it; null before its end. */
  readonly report: Report | null;
  /** Who entered and left, in people; null if the program is no segment, or was not compared. */
  readonly segment: SegmentFound | null;
}
