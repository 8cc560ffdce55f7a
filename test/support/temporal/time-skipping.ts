import { TestWorkflowEnvironment } from '@temporalio/testing';
import { SEARCH_ATTRIBUTE_TYPES } from '../../../src/runtime/search-attributes.js';

/** The SDK gives the server 5 seconds, which a machine that does other work as well can exceed. */
const ATTEMPTS = 5;

/** A time-skipping server from the program at `path`. */
export async function startTimeSkipping(path: string): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path } },
      });
    } catch (error) {
      const slow = error instanceof Error && error.message.includes('did not start within');
      if (!slow || attempt === ATTEMPTS) throw error;
    }
  }
}

/** `temporal.api.enums.v1.IndexedValueType` */
const INDEXED_VALUE_TYPES = { Keyword: 2, Int: 3 } as const;

/** Ours, which this server has to be told of like any other, though it can't list them. */
export async function registerSearchAttributes({
  connection,
}: TestWorkflowEnvironment): Promise<void> {
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTE_TYPES).map(([name, type]) => [
        name,
        INDEXED_VALUE_TYPES[type],
      ]),
    ),
  });
}
