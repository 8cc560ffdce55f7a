import { stringify } from 'yaml';
import type { ConsentChannel } from '../../../contracts/channels.js';

/** What a new file needs to know. */
export interface FirstProgram {
  readonly program: string;
  /** Klaviyo’s id of the account; null if there is only one. */
  readonly account: string | null;
  readonly country: string | null;
  readonly whatsapp: boolean;
  readonly source: { readonly file: string } | { readonly urlEnv: string; readonly query: string };
  readonly channels: readonly ConsentChannel[];
  /** Id or name; null for the account’s default process. */
  readonly list: string | null;
  readonly optIn: 'single' | 'double' | null;
  readonly proof: { readonly statement: string; readonly method: string } | null;
}

/** Name of the JSON Schema that editors read, beside the file. */
export const SCHEMA_FILE = 'consentry.schema.json';

/** A `consentry.yaml` with one program, and with comments about what else it may have. */
export function fileText(first: FirstProgram): string {
  const { program, account, country, whatsapp, source, channels, list, optIn, proof } = first;
  const isDatabase = 'query' in source;
  const withoutList = list === null && optIn !== null;
  return lines(
    `# yaml-language-server: $schema=./${SCHEMA_FILE}`,
    '# The programs of consent. "consentry config check" says what is wrong in this file, and',
    '# "consentry program run NAME --dry-run" what a program would do.',
    'version: 1',
    '',
    'accounts:',
    '  shop:',
    '    # Where "consentry worker --config-account shop" finds the private key: never the key itself.',
    '    key: { env: KLAVIYO_API_KEY }',
    '    # Klaviyo’s id of the account, which its runs are bound to: needed if there are several.',
    given('id', account, 'AbC123'),
    '    # Country of phone numbers without a country code.',
    given('country', country, 'US'),
    '    # The account’s own opt-in process, which applies without a list.',
    given('default_opt_in', withoutList ? optIn : null, 'double'),
    '    # Lists that "consentry apply" creates if they are not there; any other list must be.',
    given('create_lists', null, '[Newsletter]'),
    '    # Your word that WhatsApp is connected: no API says so.',
    given('whatsapp', whatsapp ? true : null, 'true'),
    '',
    ...(isDatabase
      ? [
          'connections:',
          '  crm:',
          '    # Never the address itself: { env: NAME } or { file: PATH }.',
          `    url: { env: ${value(source.urlEnv)} }`,
        ]
      : [
          '# Databases. Never the address itself: { env: NAME } or { file: PATH }.',
          '# connections:',
          '#   crm: { url: { env: CRM_URL } }',
        ]),
    '',
    '# What the programs of an account have in common.',
    '# defaults:',
    '#   shop: { list: Newsletter, opt_in: double, channels: [email] }',
    '',
    'programs:',
    `  ${value(program)}:`,
    '    account: shop',
    '    source:',
    ...(isDatabase
      ? ['      connection: crm', `      query: ${value(source.query)}`]
      : ['      # Relative to this file.', `      file: ${value(source.file)}`]),
    '    # An empty list means none, and is not the default.',
    `    channels: [${channels.join(', ')}]`,
    '    # Id or name of a list; null for the account’s default opt-in process.',
    `    list: ${list === null ? 'null' : value(list)}`,
    ...(list === null
      ? []
      : [
          '    # The opt-in process that you expect of the list. A run is refused if it has another one.',
          given('opt_in', optIn, 'double'),
        ]),
    '    # Switching the program or a channel off unsubscribes nobody, unless it says so before.',
    '    # off: { people: unsubscribe_given }',
    '    # What people agreed to and how: Klaviyo and the ledger store it with each consent.',
    ...(proof === null
      ? ['    # proof: { statement: "https://shop.test/terms#mail", method: sign-up form }']
      : [
          '    proof:',
          `      statement: ${value(proof.statement)}`,
          `      method: ${value(proof.method)}`,
        ]),
  );
}

/** A key of an account or a program; as a comment with an example if it has no value. */
function given(key: string, of: string | boolean | null, example: string): string {
  return of === null ? `    # ${key}: ${example}` : `    ${key}: ${value(of)}`;
}

/** On one line, quoted where YAML needs it. */
function value(of: string | boolean): string {
  const text = stringify(of, { lineWidth: 0 }).trim();
  return text.includes('\n') ? JSON.stringify(of) : text;
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
