import { identifierOf, OPT_OUTS_OF, type ConsentChannel } from '../../../contracts/channels.js';
import type { IntentPart } from '../../../contracts/intents.js';
import { openSource, readMapping, SourceError } from '../../../importers/index.js';
import { addAskedNow, beginAskedNow, type InStore } from '../../../ledger/index.js';
import { SettingsError } from '../../migrations/request/settings-error.js';
import type { Programs } from '../load.js';
import type { Program } from '../program.js';
import { importingOf, requestOf } from '../request.js';

/**
 * Lists whom the programs of the account ask for at this moment on channels that end with an unsubscribe
 * from these: by their sources, since people may be there whom no run has asked yet. That is also the
 * program itself, where an unsubscribe ends a channel that it still has.
 *
 * @throws SettingsError if one of the sources cannot be read: then it is not known
 */
export async function listAskedNow(
  tx: InStore,
  loaded: Programs,
  { account }: Program,
  channels: readonly ConsentChannel[],
): Promise<void> {
  await beginAskedNow(tx);
  const ended = new Set(channels.flatMap((channel) => OPT_OUTS_OF[channel]));
  for (const asking of loaded.programs) {
    const shared = asking.channels.value.filter((channel) => ended.has(channel));
    if (asking.account.name !== account.name || shared.length === 0) continue;
    try {
      await listPeople(tx, loaded, asking, shared);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (error.code === 'file_without_rows') continue;
      throw new SettingsError(
        `Nobody is unsubscribed whom programs.${asking.name} still asks for, but its people cannot be ` +
          `read: ${error.message}`,
      );
    }
  }
}

/** Also of a row that is refused, such as for its date: in doubt it asks. */
function asks({ operation, rejected }: IntentPart): boolean {
  return operation === 'subscribe' && rejected !== 'nothing_asked' && rejected !== 'says_no';
}

async function listPeople(
  tx: InStore,
  { file, secrets }: Programs,
  asking: Program,
  channels: readonly ConsentChannel[],
): Promise<void> {
  const request = requestOf(file, secrets, asking);
  const mapping = request.mapping === null ? null : await readMapping(request.mapping);
  const options = importingOf(asking, request, mapping);
  const source = await openSource(request.file, options, request.query);
  try {
    for await (const intents of source.intents) {
      for (const channel of channels) {
        const identifiers = intents.flatMap((intent) =>
          intent.parts.some((part) => part.channel === channel && asks(part))
            ? (identifierOf(channel, intent) ?? [])
            : [],
        );
        await addAskedNow(tx, asking.name, channel, identifiers);
      }
    }
  } finally {
    await source.close();
  }
}
