import { Option, type Command } from 'commander';
import type { ConsentChannel } from '../../contracts/channels.js';
import type { FirstProgram } from '../../starter/programs/file/template.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { settingReader } from '../request-flags.js';
import type { Given } from '../terminal/init-questions.js';
import { Output, type Terminal } from '../terminal/terminal.js';

interface InitFlags {
  readonly config: string;
  readonly program?: string;
  readonly source?: string;
  readonly urlEnv?: string;
  readonly query?: string;
  readonly channels?: ConsentChannel[];
  readonly list?: string;
  readonly optIn?: 'single' | 'double';
  readonly account?: string;
  readonly country?: string;
  readonly whatsapp?: true;
  readonly statement?: string;
  readonly method?: string;
  readonly json?: boolean;
}

export function addInit(program: Command, terminal: Terminal): void {
  program
    .command('init')
    .description(
      'write a commented consentry.yaml with a first program; asks for what flags do not say',
    )
    .option('--config <path>', 'file to write', 'consentry.yaml')
    .option('--program <name>', 'name of the program (default without a terminal: newsletter)')
    .addOption(new Option('--source <path>', 'file with its people').conflicts(['urlEnv', 'query']))
    .option(
      '--url-env <name>',
      'environment variable with the address of a database with its people',
    )
    .option('--query <sql>', 'query that selects them')
    .option(
      '--channels <names>',
      'channels (default without a terminal: email)',
      settingReader('channels'),
    )
    .option('--list <list>', 'id or name of a list')
    .addOption(
      new Option(
        '--opt-in <process>',
        'opt-in process of the list, without one of the account',
      ).choices(['single', 'double']),
    )
    .option('--account <id>', 'Klaviyo’s id of the account, if there are several')
    .option(
      '--country <code>',
      'country of phone numbers without a country code',
      settingReader('country'),
    )
    .option('--whatsapp', 'WhatsApp is connected in Klaviyo, which no API says')
    .option('--statement <text>', 'what people agreed to: text or address')
    .option('--method <text>', 'how they agreed, such as: sign-up form')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  consentry init
  consentry init --source people.csv --list Newsletter --opt-in double
  consentry init --url-env CRM_URL --query 'select * from consent' --list XyZ123 --opt-in single`,
    )
    .action(async (flags: InitFlags) => {
      const { writeFirstFile, requireNew } = await import('../run/init.js');
      await requireNew(flags.config);
      const first = await firstProgram(flags, terminal);
      const written = await writeFirstFile(flags.config, first);
      const where = flags.config === 'consentry.yaml' ? '' : ` --config ${flags.config}`;
      new Output(terminal, flags.json ?? false).result(
        { ...written, program: first.program },
        [
          `Written: ${written.file}, and ${written.schema} for editors`,
          `Check it with:   consentry config check${where}`,
          `Then plan a run: consentry program run ${first.program} --dry-run${where}`,
        ].join('\n'),
      );
    });
}

/** As flags say and a person answers. @throws UsageError that says what is missing */
async function firstProgram(flags: InitFlags, terminal: Terminal): Promise<FirstProgram> {
  const given = givenBy(flags);
  const { stdin, stderr } = terminal;
  if (stdin?.isTTY !== true) return withoutQuestions(given);
  const { askFirstProgram } = await import('../terminal/init-questions.js');
  const first = await askFirstProgram({ input: stdin, output: stderr }, given);
  if (first !== null) return first;
  stderr.write('Nothing was written.\n');
  throw new Ended(EXIT.interrupted);
}

function givenBy(flags: InitFlags): Given {
  const { program, source, urlEnv, query, channels, list, optIn, statement, method } = flags;
  if ((urlEnv === undefined) !== (query === undefined)) {
    throw new UsageError(
      'A database needs --url-env NAME, the variable with its address, and --query SQL: give both.',
    );
  }
  if ((statement === undefined) !== (method === undefined)) {
    throw new UsageError(
      'The proof of consent needs --statement TEXT and --method TEXT: give both.',
    );
  }
  return {
    program,
    account: flags.account,
    country: flags.country,
    whatsapp: flags.whatsapp,
    source:
      source !== undefined
        ? { file: source }
        : urlEnv !== undefined && query !== undefined
          ? { urlEnv, query }
          : undefined,
    channels,
    list,
    optIn,
    proof: statement !== undefined && method !== undefined ? { statement, method } : undefined,
  };
}

function withoutQuestions(given: Given): FirstProgram {
  const { source, list = null, optIn = null } = given;
  const missing = [
    ...(source === undefined ? ['--source PATH, or --url-env NAME and --query SQL'] : []),
    ...(list === null && optIn === null
      ? ['--list ID, or the opt-in process of the account with --opt-in single or double']
      : []),
  ];
  if (source === undefined || missing.length > 0) {
    throw new UsageError(
      `There is no terminal to ask at, so this is needed: ${missing.join('; ')}.`,
    );
  }
  return {
    program: given.program ?? 'newsletter',
    account: given.account ?? null,
    country: given.country ?? null,
    whatsapp: given.whatsapp ?? false,
    source,
    channels: given.channels ?? ['email'],
    list,
    optIn,
    proof: given.proof ?? null,
  };
}
