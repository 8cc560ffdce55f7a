import { REQUEST_SETTINGS } from '../migrations/request/settings-list.js';
import { asKey } from './request.js';

const KEY_OF_FLAG: ReadonlyMap<string, string> = new Map(
  REQUEST_SETTINGS.flatMap(({ name, flag }) => {
    const spelled = flag?.spelling.split(' ')[0];
    return spelled === undefined ? [] : [[spelled, asKey(name)] as const];
  }),
);

/** A message of a worker or an importer, which names flags of `migrate`, with the keys of the file. */
export function withKeys(message: string): string {
  return message.replaceAll(/(?<![\w-])--[a-z][a-z-]*/g, (flag) => KEY_OF_FLAG.get(flag) ?? flag);
}
