import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { Encoding } from '../../connectors/files/encodings.js';
import { sourceSettings } from '../../starter/migrations/request/source-settings.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { requireWritable } from '../report/private-file.js';
import { addRequestFlags } from '../request-flags.js';
import { Output, type Terminal } from '../terminal/terminal.js';

interface MapFlags {
  readonly channels?: ConsentChannel[];
  readonly query?: string;
  readonly encoding?: Encoding;
  readonly json?: boolean;
}

export function addMap(program: Command, terminal: Terminal): void {
  const verb = program
    .command('map')
    .description(
      'ask what the columns of a source mean, and write a mapping file for migrate --map',
    )
    .argument('<source>', 'file, or address of a database with --query')
    .argument('<mapping>', 'file to write, such as shop.mapping.yaml');
  addRequestFlags(verb, 'map')
    .option('--json', 'print the mapping as one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  consentry map old-shop.csv old-shop.mapping.yaml --channels email,sms',
    )
    .action(async (source: string, path: string, flags: MapFlags) => {
      const { stdin, stderr } = terminal;
      if (stdin?.isTTY !== true) {
        throw new UsageError(
          'The wizard asks questions, but there is no terminal: run it in one, or write ' +
            'the mapping file by hand as docs/sources.md shows.',
        );
      }
      if (await exists(path)) {
        throw new UsageError(`${path} already exists: choose another name, or remove it first.`);
      }
      await requireWritable(path);
      const { readSample, writeMapping } = await import('../../importers/index.js');
      const { askMapping } = await import('../terminal/wizard.js');
      const sample = await readSample(source, flags.query ?? null, flags.encoding ?? null);
      sample.notices.forEach((notice) => stderr.write(`Note: ${notice}\n`));
      const io = { input: stdin, output: stderr };
      const channels = sourceSettings.channels.parse(flags.channels);
      const mapping = await askMapping(io, sample, channels);
      if (mapping === null) {
        stderr.write('Nothing was written.\n');
        throw new Ended(EXIT.interrupted);
      }
      await writeMapping(path, mapping);
      new Output(terminal, flags.json ?? false).result(
        { path, mapping },
        `Written: ${path}\nTry it with: ${tryWords(source, path, flags)}`,
      );
    });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/**
 * The command that plans a run with the mapping. A query, and a URL that may have a password, are
 * left to the person.
 */
function tryWords(source: string, path: string, { channels, query, encoding }: MapFlags): string {
  return [
    `consentry migrate ${query === undefined ? source : 'URL --query SQL'} --map ${path}`,
    ...(encoding === undefined ? [] : [`--encoding ${encoding}`]),
    ...(channels === undefined ? [] : [`--channels ${channels.join(',')}`]),
    '--list ID --dry-run',
  ].join(' ');
}
