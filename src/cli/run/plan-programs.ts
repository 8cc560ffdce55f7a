import { loadPrograms } from '../../starter/programs/load.js';
import { Ended } from '../ended.js';
import { EXIT, worstOf } from '../exit-codes.js';
import { changeDocument } from '../render/program-changes.js';
import { renderFile, syncChangeDocument } from '../render/sync-changes.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';
import { differs, planChanges } from './plan-changes.js';

export interface PlanFlags {
  readonly config?: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** @throws Ended with the exit code of what cannot be applied, or with 8 if `--check` is given and anything differs */
export async function planPrograms(flags: PlanFlags, terminal: Terminal): Promise<void> {
  const loaded = await loadPrograms(flags.config ?? null);
  const { planned, syncs, schedules } = await withConsentry(async ({ consentry }) => ({
    syncs: await consentry.syncs.changes(loaded),
    schedules: await consentry.activations.changes(loaded),
    planned: await planChanges(consentry, loaded, terminal),
  }));
  const isDifferent =
    planned.some(({ found }) => differs(found)) ||
    [...syncs, ...schedules].some(({ change }) => change !== 'none');
  new Output(terminal, flags.json ?? false).result(
    {
      file: loaded.file.path,
      differs: isDifferent,
      programs: planned.map(changeDocument),
      syncs: syncs.map(syncChangeDocument),
      schedules,
    },
    renderFile(planned, syncs, schedules),
  );
  const checked = flags.check === true && isDifferent ? [EXIT.differs] : [];
  const exitCode = worstOf([...planned.map((each) => each.exitCode), ...checked]);
  if (exitCode !== EXIT.ok) throw new Ended(exitCode);
}
