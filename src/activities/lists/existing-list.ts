import type { OptInProcess } from '../../contracts/channels.js';
import type { StoppingFailure } from '../../contracts/failures.js';
import type { ListInfo } from '../../klaviyo/index.js';

/** What the account has by the name of a new list. */
export type ExistingList =
  | { readonly is: 'absent' }
  | { readonly is: 'there'; readonly list: ListInfo }
  | { readonly is: 'refused'; readonly type: StoppingFailure; readonly why: string };

/**
 * Whether a list has to be created. Pure.
 *
 * @param byId the list whose id is this name; null if none is
 * @param listed what Klaviyo found by the name: it may take more for equal than we do
 */
export function existingList(
  { name, optInProcess }: { readonly name: string; readonly optInProcess: OptInProcess },
  byId: Pick<ListInfo, 'id' | 'name'> | null,
  listed: readonly ListInfo[],
): ExistingList {
  const lists = listed.filter((list) => list.name === name);
  const [list, ...others] = lists;
  if (byId !== null) {
    return refused(
      'SettingsInvalid',
      `"${name}" is the id of the list "${byId.name ?? ''}": a list of this name could be mistaken for it. ` +
        'Use that list, or choose another name.',
    );
  }
  if (list === undefined) {
    const near = listed.find((each) => each.name?.toLowerCase() === name.toLowerCase());
    if (near === undefined) return { is: 'absent' };
    return refused(
      'SettingsInvalid',
      `The account has a list called "${near.name ?? ''}" (${near.id}), which differs from "${name}" only in capitals. ` +
        'Write it as in Klaviyo, or choose another name.',
    );
  }
  if (others.length > 0) {
    return refused(
      'SettingsInvalid',
      `The account has several lists called "${name}": ${lists.map(({ id }) => id).join(', ')}. ` +
        'Use one of them by its id, or rename or delete the others in Klaviyo.',
    );
  }
  if (list.optInProcess === optInProcess) return { is: 'there', list };
  return refused(
    'OptInProcessUnexpected',
    list.optInProcess === null
      ? `The account has a list called "${name}" (${list.id}), and Klaviyo does not say which opt-in process it has. ` +
          'Look it up in Klaviyo, and use the list by its id.'
      : `The account has a list called "${name}" (${list.id}), but it is ${list.optInProcess}, not ${optInProcess}. ` +
          'Change its opt-in process in Klaviyo, choose another name, or correct the process that you ask for.',
  );
}

function refused(type: StoppingFailure, why: string): ExistingList {
  return { is: 'refused', type, why };
}
