import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../contracts/names.js';

/** Types of the search attributes, as the Temporal CLI names them. */
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
 * Registers the missing search attributes on a Temporal server that is not ours.
 *
 * @throws Error with the commands for an administrator, if our key may not register any (on
 * Temporal Cloud a worker's key never may)
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
      // Another process registered it first.
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
    // A key that may not list them may not add them either. They may exist anyway; if not, starting
    // a workflow fails with an error that says so.
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
      `The Temporal namespace ${namespace} lacks search attributes of Consentry, and this connection may not add them: ${String((cause as Error).message)}`,
      'Ask an administrator to run (on Temporal Cloud: tcld or the Web UI, with the same names and types):',
      ...commands,
    ].join('\n'),
    { cause },
  );
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
