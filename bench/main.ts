import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Measured, Scenario, Script } from './scenario.js';
import { isMissed, judge, type Others } from './measure/floors.js';
import { consentryVersion, currentCommit, loadNow, ROOT, thisMachine } from './measure/machine.js';
import { printList, printResult } from './measure/print.js';
import {
  NotComparableError,
  readEarlier,
  writeResult,
  type Earlier,
  type Result,
} from './measure/result.js';
import { join } from 'node:path';

export interface BenchOutput {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and problems. */
  readonly note: (text: string) => void;
  /** Runs a script to its end. @returns its exit code */
  run(script: Script, args: readonly string[]): Promise<number>;
}

const USAGE =
  'npm run bench -- NAME [--rows N] [--out FOLDER] [--before FILE] [--scales FILE] [--no-floor]';

/** Where results are written; git ignores it. */
const FOLDER = join(ROOT, 'bench-results');

/** The arguments are wrong. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs the named benchmark.
 *
 * @returns the exit code: 1 if a floor was missed, 2 for wrong arguments
 */
export async function main(
  argv: readonly string[],
  known: readonly (Scenario | Script)[],
  output: BenchOutput,
): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    output.out(`${USAGE}\n\n`);
    printList(known, output.out);
    return 0;
  }
  const chosen = known.find((each) => each.name === name);
  if (chosen === undefined) {
    output.note(`There is no benchmark "${name}": ${known.map((each) => each.name).join(', ')}.\n`);
    return 2;
  }
  if (!('run' in chosen)) return output.run(chosen, rest);
  try {
    return await play(chosen, rest, output);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof NotComparableError)) throw error;
    output.note(`${error.message}\n`);
    return 2;
  }
}

interface Asked {
  readonly rows: number;
  readonly flags: readonly string[];
  readonly folder: string;
  readonly checksFloors: boolean;
  readonly others: Partial<Record<'before' | 'scales', Earlier>>;
}

async function play(
  scenario: Scenario,
  args: readonly string[],
  output: BenchOutput,
): Promise<number> {
  const asked = await parse(scenario, args);
  warnOfOtherMachines(asked.others, output);
  const startedAt = new Date();
  const begin = loadNow();
  const measured = await scenario.run({
    rows: asked.rows,
    flags: new Set(asked.flags),
    note: (what) => output.note(`${what}\n`),
  });
  const floors = judgeAll(scenario, measured, asked);
  const checked = floors.some(({ held }) => held !== null);
  const result: Result = {
    scenario: scenario.name,
    parameters: { rows: asked.rows, flags: asked.flags },
    startedAt: startedAt.toISOString(),
    endedAt: new Date().toISOString(),
    machine: { ...thisMachine(), load: { begin, end: loadNow() } },
    versions: { node: process.versions.node, consentry: await consentryVersion() },
    commit: await currentCommit(),
    ...measured,
    floors,
    held: checked ? !isMissed(floors) : null,
  };
  const path = await writeResult(asked.folder, result);
  printResult(result, output.out);
  output.note(`Written to ${path}\n`);
  return asked.checksFloors && isMissed(floors) ? 1 : 0;
}

function judgeAll(scenario: Scenario, measured: Measured, asked: Asked) {
  if (measured.skipped !== undefined) return [];
  const others: Others = Object.fromEntries(
    Object.entries(asked.others).map(([kind, { parameters, figures }]) => [
      kind,
      { rows: parameters.rows, figures },
    ]),
  );
  return judge(scenario.floors, { rows: asked.rows, figures: measured.figures }, others);
}

async function parse(scenario: Scenario, args: readonly string[]): Promise<Asked> {
  const own = Object.keys(scenario.flags ?? {});
  const { values } = parsed([...args], {
    rows: { type: 'string' },
    out: { type: 'string' },
    before: { type: 'string' },
    scales: { type: 'string' },
    'no-floor': { type: 'boolean' },
    ...Object.fromEntries(own.map((flag) => [flag, { type: 'boolean' as const }])),
  });
  const flags = own.filter((flag) => values[flag] === true);
  const of = { scenarios: scenario.comparesWith ?? [scenario.name], flags };
  const rows = values['rows'] === undefined ? scenario.rows : whole(values['rows'] as string);
  const others: Partial<Record<'before' | 'scales', Earlier>> = {};
  for (const kind of ['before', 'scales'] as const) {
    const path = values[kind];
    if (typeof path !== 'string') continue;
    if (!scenario.floors.some(({ times }) => times === kind)) {
      throw new UsageError(`${scenario.name} has no floor that needs --${kind}.`);
    }
    others[kind] = await readEarlier(path, of);
  }
  refuseOtherSizes(others, rows);
  return {
    rows,
    flags,
    folder: (values['out'] as string | undefined) ?? FOLDER,
    checksFloors: values['no-floor'] !== true,
    others,
  };
}

function parsed(args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args, options });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

function refuseOtherSizes({ before, scales }: Asked['others'], rows: number): void {
  if (before !== undefined && before.parameters.rows !== rows) {
    throw new UsageError(
      `--before ${before.path} has ${before.parameters.rows} rows, but this run has ${rows}.`,
    );
  }
  if (scales?.parameters.rows === rows) {
    throw new UsageError(`--scales ${scales.path} has ${rows} rows too: give one of another size.`);
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--rows must be a whole number from 1; got "${text}".`);
}

/** Their figures differ for other reasons than the code. */
function warnOfOtherMachines(others: Asked['others'], output: BenchOutput): void {
  const here = thisMachine();
  for (const [kind, { machine, path }] of Object.entries(others)) {
    if (machine.cores === here.cores && machine.cpu === here.cpu) continue;
    output.note(
      `--${kind} ${path} was measured on another machine: ${machine.cores} x ${machine.cpu}\n`,
    );
  }
}
