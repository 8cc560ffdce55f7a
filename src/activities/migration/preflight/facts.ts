import type { MigrationSettings } from '../../../contracts/migration.js';
import {
  ListNotFoundError,
  type OptionalReading,
  type KlaviyoClient,
  type ListWithFlows,
  type TextMessagingConfiguration,
  type TextMessagingSender,
} from '../../../klaviyo/index.js';
import { together } from '../../at-once.js';
import { stopping } from '../../temporal/failures.js';
import { Access } from './access.js';
import { listCalled } from './named-list.js';

/** The facts about an account that a run depends on. */
export interface AccountFacts {
  readonly access: Access;
  /** Null if the key may not read it. */
  readonly accountId: string | null;
  /** Null if the run has no list or the key may not read it. */
  readonly list: ListWithFlows | null;
  /** Null if nothing asks for texts. */
  readonly texts: TextFacts | null;
}

export interface TextFacts {
  /** Null if the account is unknown. */
  readonly configuration: OptionalReading<TextMessagingConfiguration> | null;
  readonly senders: OptionalReading<readonly TextMessagingSender[]>;
}

/** An address that nobody has: only whether the key may ask matters, not the answer. */
const NOBODY = { by: 'email', values: ['preflight@consentry.invalid'] } as const;

const A_MOMENT_AGO_MS = 60_000;

/** The list of a run. */
interface AskedList extends Pick<MigrationSettings, 'listId' | 'moveFrom'> {
  /** It may be given by its name instead of its id. */
  readonly listByName: boolean;
}

/** Reads the account and writes nothing. A key that may not read something is no error yet. */
export async function readFacts(
  klaviyo: KlaviyoClient,
  { listId, moveFrom, listByName }: AskedList,
  asksForTexts: boolean,
  readAccountId: () => Promise<string>,
  signal: AbortSignal,
): Promise<AccountFacts> {
  const access = new Access();
  const readOurList = async (signal: AbortSignal): Promise<ListWithFlows | null> => {
    if (listId === null) return null;
    const list = await access.ask('get_list', () =>
      listByName ? findList(klaviyo, listId, signal) : readList(klaviyo, listId, signal),
    );
    if (list !== null) {
      await access.ask('get_profiles_for_list', () =>
        klaviyo.lookUpMembers({ listId: list.id, ...NOBODY }, { signal }),
      );
    }
    return list;
  };
  const readAccount = async (signal: AbortSignal) => {
    const accountId = await access.ask('get_accounts', readAccountId);
    return { accountId, texts: asksForTexts ? await readTexts(klaviyo, accountId, signal) : null };
  };
  const [account, list] = await together(
    signal,
    readAccount,
    async (either) => {
      const ours = await readOurList(either);
      // A list that is not there stops the run, as the other one does.
      if (moveFrom !== null)
        await access.ask('get_list', () => readList(klaviyo, moveFrom, either));
      return ours;
    },
    (either) =>
      access.ask('get_profiles', () => klaviyo.lookUpProfiles(NOBODY, { signal: either })),
    (either) => askForEvents(klaviyo, access, either),
  );
  return { access, ...account, list };
}

/** If a name was given instead of an id, the error names the id. */
async function readList(
  klaviyo: KlaviyoClient,
  listId: string,
  signal: AbortSignal,
): Promise<ListWithFlows> {
  try {
    return await klaviyo.getList(listId, { signal });
  } catch (error) {
    if (!(error instanceof ListNotFoundError) || !mayBeName(listId)) throw error;
    const named = await klaviyo.listLists({ name: listId, signal });
    if (named.length === 0) throw error;
    const ids = named.map(({ id }) => id).join(', ');
    throw stopping('ListNotFound', `${error.message} The list of this name has the id ${ids}.`);
  }
}

/** The one list that has this id, or exactly this name. */
async function findList(
  klaviyo: KlaviyoClient,
  idOrName: string,
  signal: AbortSignal,
): Promise<ListWithFlows> {
  const byId = mayBeId(idOrName) ? await listOrNull(klaviyo, idOrName, signal) : null;
  const listed = mayBeName(idOrName) ? await klaviyo.listLists({ name: idOrName, signal }) : [];
  // Only a mistake is worth reading them all.
  const others = byId === null && listed.length === 0 ? await klaviyo.listLists({ signal }) : [];
  const { id, stop } = listCalled(idOrName, byId, listed, others);
  if (id === null) throw stopping('ListNotFound', stop);
  return byId ?? klaviyo.getList(id, { signal });
}

async function listOrNull(
  klaviyo: KlaviyoClient,
  id: string,
  signal: AbortSignal,
): Promise<ListWithFlows | null> {
  try {
    return await klaviyo.getList(id, { signal });
  } catch (error) {
    if (error instanceof ListNotFoundError) return null;
    throw error;
  }
}

const mayBeId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);
const mayBeName = (text: string): boolean => !/[\p{Cc}\p{Cs}]/u.test(text);

async function askForEvents(
  klaviyo: KlaviyoClient,
  access: Access,
  signal: AbortSignal,
): Promise<void> {
  const metrics = await access.ask('get_metrics', () => klaviyo.listMetrics({ signal }));
  const metricId = metrics?.[0]?.id;
  if (metricId === undefined) return;
  const now = klaviyo.now()?.earliest.getTime() ?? Date.now();
  const since = new Date(now - A_MOMENT_AGO_MS).toISOString();
  await access.ask('get_events', () => klaviyo.listEvents({ metricId, since }, { signal }));
}

async function readTexts(
  klaviyo: KlaviyoClient,
  accountId: string | null,
  signal: AbortSignal,
): Promise<TextFacts> {
  const configuration =
    accountId === null ? null : await klaviyo.getTextMessagingConfiguration(accountId, { signal });
  return { configuration, senders: await klaviyo.listTextMessagingSenders({ signal }) };
}
