import type { CreatedList } from '../../contracts/lists.js';
import type { Change } from '../../starter/programs/apply/changes.js';
import type { RanProgram } from './ran-program.js';

/** What became of the run that unsubscribes people of channels that were switched off. */
export type RanOff = Omit<RanProgram, 'program' | 'segment'>;

/** What became of a change. The keys and values are stable: they are in `--json`. */
export interface AppliedChange extends Omit<RanProgram, 'status'> {
  /** As of `program run`; `recorded` if nothing had to be run, `unchanged` if nothing differed. */
  readonly status: RanProgram['status'] | 'recorded' | 'unchanged';
  readonly change: Change;
  /** Null if none was created. */
  readonly createdList: CreatedList | null;
  /** What became of the run that unsubscribes; null if there was none. */
  readonly off: RanOff | null;
}
