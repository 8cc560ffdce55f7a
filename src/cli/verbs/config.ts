import type { Command } from 'commander';
import { Ended } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { counted } from '../render/quantities.js';
import { Output, type Terminal } from '../terminal/terminal.js';

/** How the verbs about programs spell where their file is. */
export const CONFIG_FLAG = [
  '--config <path>',
  'file with the programs (default: CONSENTRY_CONFIG, or consentry.yaml in this folder)',
] as const;

interface CheckFlags {
  readonly config?: string;
  readonly json?: boolean;
}

export function addConfig(program: Command, terminal: Terminal): void {
  const verb = program
    .command('config')
    .description('check consentry.yaml, the file with the programs');
  verb
    .command('check')
    .description('say what is wrong in the file, with place and remedy; send nothing')
    .option(...CONFIG_FLAG)
    .option('--json', 'print one JSON document, also if the file is wrong')
    .addHelpText('after', '\nExample:\n  consentry config check')
    .action((flags: CheckFlags) => checkConfig(flags, terminal));
  verb
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .addHelpText('after', '\nExample:\n  consentry config schema > consentry.schema.json')
    .action(async () => {
      const { fileJsonSchema } = await import('../../starter/programs/file/json-schema.js');
      terminal.stdout.write(`${JSON.stringify(fileJsonSchema(), null, 2)}\n`);
    });
}

async function checkConfig(flags: CheckFlags, terminal: Terminal): Promise<void> {
  const { loadPrograms } = await import('../../starter/programs/load.js');
  const { ConfigFileError } = await import('../../starter/programs/file/problems.js');
  const output = new Output(terminal, flags.json ?? false);
  try {
    const { file, programs } = await loadPrograms(flags.config ?? null);
    const { accounts, connections } = file.settings;
    const names = { accounts: Object.keys(accounts), connections: Object.keys(connections) };
    output.result(
      {
        file: file.path,
        valid: true,
        problems: [],
        ...names,
        programs: programs.map(({ name }) => name),
      },
      `${file.path} is valid: ${counted(names.accounts.length, 'account')}, ` +
        `${counted(names.connections.length, 'connection')}, ${counted(programs.length, 'program')}.`,
    );
  } catch (error) {
    if (!(error instanceof ConfigFileError) || !output.json) throw error;
    output.result({ file: error.file, valid: false, problems: error.problems }, '');
    throw new Ended(EXIT.usage);
  }
}
