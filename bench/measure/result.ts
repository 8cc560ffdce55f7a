import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { JudgedFloor } from './floors.js';
import type { Commit, Machine } from './machine.js';
import type { Measured } from '../scenario.js';

/** What a run of a scenario leaves as a JSON file. */
export interface Result extends Measured {
  readonly scenario: string;
  readonly parameters: { readonly rows: number; readonly flags: readonly string[] };
  readonly startedAt: string;
  readonly endedAt: string;
  readonly machine: Machine & {
    readonly load: { readonly begin: number[]; readonly end: number[] };
  };
  readonly versions: { readonly node: string; readonly consentry: string };
  readonly commit: Commit | null;
  readonly floors: readonly JudgedFloor[];
  /** False if a floor was missed; null if none could be checked. */
  readonly held: boolean | null;
}

/** @returns the path of the new file */
export async function writeResult(folder: string, result: Result): Promise<string> {
  await mkdir(folder, { recursive: true });
  const at = result.startedAt.replace(/[:.]/g, '-');
  const words = [result.scenario, ...result.parameters.flags, result.parameters.rows, at];
  const path = join(folder, `${words.join('-')}.json`);
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

const earlier = z.object({
  scenario: z.string(),
  parameters: z.object({ rows: z.number().positive(), flags: z.array(z.string()) }),
  figures: z.record(z.string(), z.number().nullable()),
  commit: z.object({ id: z.string() }).nullable(),
  machine: z.object({ cores: z.number(), cpu: z.string() }),
});

/** What floors and warnings need of an earlier result. */
export interface Earlier extends z.infer<typeof earlier> {
  readonly path: string;
}

/** The file cannot be compared with. */
export class NotComparableError extends Error {
  override readonly name = 'NotComparableError';
}

/**
 * Reads a result for `--before` or `--scales`.
 *
 * @param of scenarios and flags that it may be of
 * @throws NotComparableError if it is no result, or of another scenario or other flags
 */
export async function readEarlier(
  path: string,
  of: { readonly scenarios: readonly string[]; readonly flags: readonly string[] },
): Promise<Earlier> {
  let read: z.infer<typeof earlier>;
  try {
    read = earlier.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new NotComparableError(`${path} is not a result of a benchmark: ${why}`);
  }
  const { scenario, parameters } = read;
  if (!of.scenarios.includes(scenario)) {
    throw new NotComparableError(
      `${path} is of ${scenario}; it can be compared with ${of.scenarios.join(' or ')} only.`,
    );
  }
  if (parameters.flags.join() !== of.flags.join()) {
    throw new NotComparableError(
      `${path} was measured with other flags: ${parameters.flags.join(', ') || 'none'}.`,
    );
  }
  return { ...read, path };
}
