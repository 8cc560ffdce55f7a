import { similar } from '../../../contracts/nearest.js';
import type { ListInfo } from '../../../klaviyo/index.js';

/** The id of the list that is meant, or why it is not clear which one is. */
export type NamedList =
  { readonly id: string; readonly stop: null } | { readonly id: null; readonly stop: string };

/** How many lists are named that may have been meant. */
const MOST = 3;

/**
 * The one list that has this id, or exactly this name. Pure.
 *
 * @param byId null if no list has this id
 * @param listed what Klaviyo found by the name: it may take more for equal than we do
 * @param others lists that may have been meant, if there is none
 */
export function listCalled(
  idOrName: string,
  byId: Pick<ListInfo, 'id'> | null,
  listed: readonly Pick<ListInfo, 'id' | 'name'>[],
  others: readonly Pick<ListInfo, 'id' | 'name'>[] = [],
): NamedList {
  const named = listed.filter(({ name }) => name === idOrName);
  const ids = new Set([...(byId === null ? [] : [byId]), ...named].map(({ id }) => id));
  const [id, ...more] = ids;
  if (id !== undefined && more.length === 0) return { id, stop: null };
  if (id !== undefined) {
    return stopped(
      `The account has several lists with the id or the name "${idOrName}": ${[...ids].join(', ')}. ` +
        'Give the id of the one that is meant, or rename the others in Klaviyo.',
    );
  }
  const meant =
    listed.length > 0 ? listed : similar(idOrName, others, ({ name }) => name ?? '').slice(0, MOST);
  const near = meant.map((list) => `${list.name ?? ''} (${list.id})`).join(', ');
  return stopped(
    `The account has no list with the id or the name "${idOrName}"` +
      (near === '' ? '. ' : `, but ${near}. `) +
      'Correct it, with capitals as in Klaviyo, or give the id of a list.',
  );
}

function stopped(stop: string): NamedList {
  return { id: null, stop };
}
