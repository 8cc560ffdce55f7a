import { UsageError } from '../ended.js';
import { renderSyncs } from '../render/sync.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** Shows syncs with their latest runs. @param name only this one */
export async function showSyncs(
  name: string | null,
  json: boolean,
  terminal: Terminal,
): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    const syncs = await consentry.syncs.status(name);
    const documents = syncs.map(({ sync, runs, lastSuccessMs, isLate, lag, schedule }) => ({
      id: sync.id,
      name: sync.name,
      account: sync.accountId,
      destination: sync.destination,
      lastSuccessAt: sync.lastSuccessAt,
      lastSuccessMs,
      isLate,
      schedule,
      lag,
      runs,
    }));
    new Output(terminal, json).result({ syncs: documents }, renderSyncs(syncs, name !== null));
  });
}

/** Pauses the Schedule of a sync, or resumes it. */
export async function pauseSync(
  name: string,
  paused: boolean,
  account: string | null,
  terminal: Terminal,
): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    await consentry.syncs.setPaused(name, paused, account);
    new Output(terminal, false).say(
      paused
        ? `The sync ${name} starts no more runs by itself. Start them again: consentry sync unpause ${name}`
        : `The sync ${name} runs by itself again.`,
    );
  });
}

/** Ends the run of a sync that is going on. @throws UsageError if none is */
export async function cancelSync(name: string, terminal: Terminal): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    const [status] = await consentry.syncs.status(name);
    const running = status?.runs.find(({ finishedAt }) => finishedAt === null);
    if (running === undefined) throw new UsageError(`No run of the sync ${name} is going on.`);
    await consentry.syncs.cancel(running.workflowId);
    new Output(terminal, false).say(
      `The run ${running.id} ends. What it wrote stays, and the next run goes on there.`,
    );
  });
}
