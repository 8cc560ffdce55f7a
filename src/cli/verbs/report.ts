import { Option, type Command } from 'commander';
import type { ReportFlags } from '../run/report.js';
import type { Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

export function addReport(program: Command, terminal: Terminal): void {
  program
    .command('report')
    .description('show how every row ended: as counts, row by row or as a page; or what changed')
    .argument('<id>', 'id of the migration')
    // An id after --csv would be read as its path.
    .showHelpAfterError('(the id comes first: consentry report ID --csv; --help shows the rest)')
    .addOption(
      new Option('--csv [path]', 'row by row, as CSV; to stdout, or to this file').conflicts([
        'ndjson',
        'json',
      ]),
    )
    .addOption(new Option('--ndjson', 'row by row, one JSON object per line').conflicts('json'))
    .option('--json', 'the counts as one JSON document')
    .addOption(
      new Option('--changes', 'what was sent: each person before and after').conflicts([
        'html',
        'undo',
      ]),
    )
    .addOption(
      new Option('--html <path>', 'write one self-contained page').conflicts([
        'csv',
        'ndjson',
        'undo',
      ]),
    )
    .addOption(
      new Option(
        '--undo <path>',
        'write a source that reverses what the run did; "list": only its additions to the list',
      ).conflicts(['csv', 'ndjson']),
    )
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  consentry report 20260102-1a2b3c4d',
        '  consentry report 20260102-1a2b3c4d --csv report.csv',
        '  consentry report 20260102-1a2b3c4d --html report.html',
        '  consentry report 20260102-1a2b3c4d --changes --csv > changes.csv',
        '  consentry report 20260102-1a2b3c4d --undo undo.csv',
        '  consentry report 20260102-1a2b3c4d --undo list',
      ].join('\n'),
    )
    .action(async (id: string, flags: ReportFlags) => {
      const { runReport } = await import('../run/report.js');
      await withConsentry(({ consentry }) => runReport(consentry, id, flags, terminal));
    });
}
