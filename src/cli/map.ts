import type { Command } from 'commander';
import type { ConsentChannel } from '../contracts/channels.js';
import { parseChannels } from './arguments.js';
import { Ended, UsageError } from './ended.js';
import { EXIT } from './exit-codes.js';
import { Output, type Terminal } from './terminal.js';

interface MapFlags {
  readonly channels?: ConsentChannel[];
  readonly query?: string;
  readonly json?: boolean;
}

export function addMap(program: Command, terminal: Terminal): void {
  program
    .command('map')
    .description(
      'ask what the columns of a source mean, and write a mapping file for migrate --map',
    )
    .argument('<source>', 'file, or address of a database with --query')
    .argument('<mapping>', 'file to write, such as shop.mapping.yaml')
    .option('--channels <names>', 'channels to ask about (default: email)', parseChannels)
    .option('--query <sql>', 'query whose rows are the source')
    .option('--json', 'print the mapping as one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  consentry map old-shop.csv old-shop.mapping.yaml --channels email,sms',
    )
    .action(async (source: string, path: string, flags: MapFlags) => {
      const { stdin, stderr } = terminal;
      if (stdin?.isTTY !== true) {
        throw new UsageError(
          'The wizard asks questions, and nobody is here to answer: run it in a terminal, or write ' +
            'the mapping file by hand as docs/sources.md shows.',
        );
      }
      const { readSample, writeMapping } = await import('../importers/index.js');
      const { askMapping } = await import('../importers/wizard.js');
      const sample = await readSample(source, flags.query ?? null);
      const io = { input: stdin, output: stderr };
      const mapping = await askMapping(io, sample, flags.channels ?? ['email']);
      if (mapping === null) throw new Ended(EXIT.interrupted);
      await writeMapping(path, mapping);
      new Output(terminal, flags.json ?? false).result(
        { path, mapping },
        `Written: ${path}\nUse it with: consentry migrate ${source} --map ${path} --list ID`,
      );
    });
}
