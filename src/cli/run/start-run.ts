import type { Changes } from '../../importers/index.js';
import type { Consentry } from '../../starter/consentry.js';
import { NothingChangedError } from '../../starter/migrations/since.js';
import type { StartedMigration } from '../../starter/migrations/start.js';
import type { FullRequest } from '../../starter/migrations/request/schema.js';
import { sinceWords, type Since } from '../render/since.js';
import { vanishedPath, writeVanished } from '../report/vanished.js';
import type { ProgressView } from '../terminal/progress-view.js';
import type { Output } from '../terminal/terminal.js';

export interface BegunRun {
  readonly started: StartedMigration;
  /** What changed since the older export; null without one, and for a run that was running already. */
  readonly since: Since | null;
}

/**
 * Reads the source and starts its migration. With `since`, says what changed, and writes a file of the
 * people who vanished.
 *
 * @param name of the source, which that file is named after
 * @returns null if nothing changed, after it has said so: nothing was started
 */
export async function startRun(
  { migrations }: Consentry,
  request: FullRequest,
  name: string,
  view: ProgressView,
  output: Output,
): Promise<BegunRun | null> {
  const onRows = (rows: number) => view.showRead(rows);
  const { since: older } = request;
  if (older === null) {
    const started = await migrations.start(request, onRows).finally(() => view.stop());
    return { started, since: null };
  }
  let file: string | null = null;
  const compared = (changes: Changes): Since => {
    const since = { ...changes, file };
    output.say(sinceWords(since, older));
    return since;
  };
  try {
    const started = await migrations
      .start(
        request,
        onRows,
        async (rows) => void (file = await writeVanished(rows, vanishedPath(name))),
      )
      .finally(() => view.stop());
    return { started, since: started.since && compared(started.since) };
  } catch (error) {
    if (!(error instanceof NothingChangedError)) throw error;
    const since = compared(error.changes);
    output.result({ id: null, since }, 'Nothing is new or changed: nothing was started.');
    return null;
  }
}
