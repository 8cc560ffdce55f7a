import { renderSyncs } from '../render/sync.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** Shows all syncs with their latest runs. */
export async function showSyncs(json: boolean, terminal: Terminal): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    const syncs = await consentry.syncs.status();
    const documents = syncs.map(({ sync, runs, lastSuccessMs }) => ({
      id: sync.id,
      name: sync.name,
      account: sync.accountId,
      destination: sync.destination,
      lastSuccessMs,
      runs,
    }));
    new Output(terminal, json).result({ syncs: documents }, renderSyncs(syncs));
  });
}
