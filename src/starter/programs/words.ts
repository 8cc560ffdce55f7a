import { REQUEST_SETTINGS } from '../migrations/request/settings-list.js';
import { programSchema, sourceSchema } from './file/schema.js';
import { asKey } from './request.js';

/** Keys of a program or its source: other flags, such as `--yes`, are flags of the verb here too. */
const KEYS = new Set([...Object.keys(programSchema.shape), ...Object.keys(sourceSchema.shape)]);

const KEY_OF_FLAG: ReadonlyMap<string, string> = new Map(
  REQUEST_SETTINGS.flatMap(({ name, flag }) => {
    const spelled = flag?.spelling.split(' ')[0];
    // A program names its account; the account has the id.
    const key = name === 'account' ? 'id' : asKey(name);
    return spelled === undefined || (key !== 'id' && !KEYS.has(key))
      ? []
      : [[spelled, key] as const];
  }),
);

/** A message of a worker or an importer, which names flags of `migrate`, with the keys of the file. */
export function withKeys(message: string): string {
  return message.replaceAll(/(?<![\w-])--[a-z][a-z-]*/g, (flag) => KEY_OF_FLAG.get(flag) ?? flag);
}
