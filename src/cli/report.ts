import { Option, type Command } from 'commander';
import { eachPart, PART_COLUMNS, writeCsv, writeNdjson } from './part-rows.js';
import { renderReport } from './render/report.js';
import { Output, type Terminal } from './terminal.js';
import { withConsentry } from './with-consentry.js';

interface ReportFlags {
  readonly csv?: boolean;
  readonly ndjson?: boolean;
  readonly json?: boolean;
}

export function addReport(program: Command, terminal: Terminal): void {
  program
    .command('report')
    .description('how every row ended, in counts or row by row')
    .argument('<id>', 'id of the migration')
    .addOption(new Option('--csv', 'row by row, as CSV').conflicts(['ndjson', 'json']))
    .addOption(new Option('--ndjson', 'row by row, a JSON object a line').conflicts('json'))
    .option('--json', 'the counts as one JSON document')
    .addHelpText(
      'after',
      '\nExamples:\n  consentry report 20260102-1a2b3c4d\n  consentry report 20260102-1a2b3c4d --csv > report.csv',
    )
    .action(async (id: string, flags: ReportFlags) => {
      const output = new Output(terminal, flags.json ?? false);
      await withConsentry(async ({ consentry }) => {
        const report = await consentry.report(id);
        const parts = eachPart(consentry.parts(id));
        if (flags.csv) await writeCsv(parts, PART_COLUMNS, terminal.stdout, false);
        else if (flags.ndjson) await writeNdjson(parts, terminal.stdout);
        else output.result(report, renderReport(report));
      });
    });
}
