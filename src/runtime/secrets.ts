import { readFile } from 'node:fs/promises';
import type { SecretReference } from '../contracts/sync.js';
import { variableOf, type Variables } from './config.js';

/** A secret, or why there is none; the words never have a part of it. */
export type Secret =
  | { readonly is: 'there'; readonly value: string }
  | { readonly is: 'missing'; readonly why: string };

/**
 * Reads a secret where a worker finds it.
 *
 * @param ofRun the secret that only the run has; null if it has none any more
 */
export async function readSecret(
  reference: SecretReference,
  ofRun: () => Promise<string | null>,
  variables?: Variables,
): Promise<Secret> {
  switch (reference.from) {
    case 'env': {
      const { name } = reference;
      const value = variableOf(name, variables)?.trim() ?? '';
      return found(
        value,
        `An address is in the variable ${name}, which this worker does not have. Set ` +
          `${name} where the worker runs, and start it again.`,
      );
    }
    case 'file': {
      const { path } = reference;
      const read = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
      const value = typeof read === 'string' ? read.trim() : '';
      const why =
        typeof read === 'string' ? 'is empty' : `cannot be read (${read.code ?? read.name})`;
      return found(
        value,
        `An address is in ${path}, which ${why} where the worker runs. Correct the path, ` +
          'or mount the file there.',
      );
    }
    case 'run':
      return found(
        (await ofRun())?.trim() ?? '',
        'The address of the destination came with the run, which has ended. Start the sync again with --to.',
      );
  }
}

function found(value: string, why: string): Secret {
  return value === '' ? { is: 'missing', why } : { is: 'there', value };
}
