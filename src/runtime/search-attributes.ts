import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/names.js';

/** Types of the search attributes, in the words of the Temporal CLI. */
export const SEARCH_ATTRIBUTE_TYPES = {
  [SEARCH_ATTRIBUTES.phase]: 'Keyword',
  [SEARCH_ATTRIBUTES.account]: 'Keyword',
  [SEARCH_ATTRIBUTES.operation]: 'Keyword',
  [SEARCH_ATTRIBUTES.list]: 'Keyword',
  [SEARCH_ATTRIBUTES.failed]: 'Int',
  [SEARCH_ATTRIBUTES.pending]: 'Int',
} as const;

/** `temporal.api.enums.v1.IndexedValueType` */
const INDEXED_VALUE_TYPES = { Keyword: 2, Int: 3 } as const;

const ALREADY_EXISTS = 6;

/**
 * Registers on a Temporal server that is not ours the search attributes that it does not have yet.
 *
 * @throws Error with the commands that an administrator has to run, where our key may not register
 *   any (Temporal Cloud never lets a worker's key do so)
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<void> {
  const missing = await missingAttributes(connection, namespace);
  for (const [name, type] of missing) {
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: { [name]: INDEXED_VALUE_TYPES[type] },
      });
    } catch (error) {
      // Another start was faster.
      if (codeOf(error) === ALREADY_EXISTS) continue;
      throw notRegistered(namespace, missing, error);
    }
  }
}

type Attribute = readonly [string, 'Keyword' | 'Int'];

async function missingAttributes(connection: Connection, namespace: string): Promise<Attribute[]> {
  const wanted = Object.entries(SEARCH_ATTRIBUTE_TYPES);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace,
    });
    return wanted.filter(([name]) => customAttributes?.[name] === undefined);
  } catch (error) {
    // A key that may not list them may not add them either; they may be there all the same, and
    // a start of a workflow says so if they are not.
    throw notRegistered(namespace, wanted, error);
  }
}

function notRegistered(namespace: string, missing: readonly Attribute[], cause: unknown): Error {
  const commands = missing.map(
    ([name, type]) =>
      `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
  );
  return new Error(
    [
      `The Temporal namespace ${namespace} misses search attributes of Consentry, and this connection may not add them: ${String((cause as Error).message)}`,
      'Have an administrator run (on Temporal Cloud: tcld or the Web UI, with the same names and types):',
      ...commands,
    ].join('\n'),
    { cause },
  );
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
