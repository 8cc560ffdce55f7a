import { quietWords } from '../../contracts/quiet-hours.js';
import { CONSENT_STATES, type ConsentCount } from '../../ledger/index.js';
import type { Program, Sourced } from '../../starter/programs/program.js';
import { customSourceOf } from '../../starter/programs/request.js';
import type { Contacts, RanProgram } from '../run/ran-program.js';
import { settledRows } from './outcomes.js';
import { count, counted } from './quantities.js';
import { table } from './table.js';

/** A program in `--json`. The keys are stable. */
export function programDocument(program: Program): Readonly<Record<string, unknown>> {
  const { name, account, source, proof, channels, list, optIn, country } = program;
  const { askAgainDays, historical, smsCountries, smsWithoutSender, quietHours } = program;
  return {
    program: name,
    account,
    source,
    settings: {
      channels,
      list,
      optIn,
      askAgainDays,
      historical,
      country,
      smsCountries,
      smsWithoutSender,
      quietHours,
    },
    proof,
    customSource: customSourceOf(program),
  };
}

/** All programs of a file. */
export function renderPrograms(
  listed: readonly (Contacts & { readonly program: Program })[],
): string {
  if (listed.length === 0) return 'There are no programs yet.';
  return table(
    [
      { head: 'program' },
      { head: 'account' },
      { head: 'channels' },
      { head: 'list' },
      { head: 'opt-in' },
      { head: 'contacts', align: 'right' },
    ],
    listed.map(({ program: { name, account, channels, list, optIn }, contacts }) => [
      name,
      account.name,
      valueWords(channels.value),
      valueWords(list.value),
      valueWords(optIn.value),
      contacts === null ? '?' : count(contacts),
    ]),
  );
}

/** One program, with the consent of its contacts; null if it was not read. */
export function renderProgram(
  program: Program,
  contacts: number | null,
  consent: readonly ConsentCount[] | null,
): string {
  const { name, account, source } = program;
  const where = source.file ?? `a query on ${source.connection ?? ''}`;
  return [
    [
      `Program ${name}`,
      `Account: ${account.name}${account.id === null ? '' : ` (${account.id})`}`,
      `Source: ${where}${contacts === null ? '' : `, ${counted(contacts, 'contact')}`}`,
      `Proof: ${customSourceOf(program) ?? 'none; Klaviyo stores the preset and the id of the migration'}`,
    ].join('\n'),
    renderSettings(program),
    ...(consent === null ? [] : [renderConsent(consent)]),
  ].join('\n\n');
}

function renderSettings(program: Program): string {
  const { channels, list, optIn, askAgainDays, historical, country } = program;
  const { smsCountries, smsWithoutSender, quietHours } = program;
  const { value: quiet, from } = quietHours;
  const rows: readonly (readonly [string, Sourced<Value>])[] = [
    ['channels', channels],
    ['list', list],
    ['opt_in', optIn],
    ['ask_again_days', askAgainDays],
    ['historical', historical],
    ['country', country],
    ['sms_countries', smsCountries],
    ['sms_without_sender', smsWithoutSender],
    ['quiet_hours', { value: quiet === null ? null : quietWords(quiet), from }],
  ];
  return table(
    [{ head: 'setting' }, { head: 'value' }, { head: 'from' }],
    rows.map(([key, { value, from }]) => [key, valueWords(value), from]),
  );
}

type Value = string | number | boolean | readonly string[] | null;

function valueWords(value: Value): string {
  if (value === null) return 'none';
  if (typeof value !== 'object') return String(value);
  return value.length === 0 ? 'none' : value.join(', ');
}

const STATE_WORDS: Readonly<Record<ConsentCount['state'], string>> = {
  subscribed: 'subscribed',
  pending: 'asked already, has not clicked',
  to_ask_again: 'asked long ago, has not clicked',
  unsubscribed: 'unsubscribed',
  suppressed: 'suppressed',
  never_subscribed: 'never subscribed',
  not_in_klaviyo: 'not in Klaviyo',
  unknown: 'Klaviyo does not say',
  not_read: 'not read: refused or repeated',
};

/** Contacts by consent, a column per channel. */
export function renderConsent(consent: readonly ConsentCount[]): string {
  const channels = [...new Set(consent.map(({ channel }) => channel))];
  if (channels.length === 0) return 'Consent is asked for none of them.';
  const states = CONSENT_STATES.filter((state) => consent.some((each) => each.state === state));
  const of = (state: string, channel: string): number =>
    consent.find((each) => each.state === state && each.channel === channel)?.contacts ?? 0;
  return table(
    [
      { head: 'consent in Klaviyo' },
      ...channels.map((head) => ({ head, align: 'right' as const })),
    ],
    states.map((state) => [
      STATE_WORDS[state],
      ...channels.map((channel) => count(of(state, channel))),
    ]),
  );
}

/** What became of every program. */
export function renderProgramRuns(ran: readonly RanProgram[]): string {
  const summary = table(
    [
      { head: 'program' },
      { head: 'status' },
      { head: 'migration' },
      { head: 'rows', align: 'right' },
      { head: 'outcomes' },
    ],
    ran.map(({ program, status, migration, report }) => [
      program,
      status,
      migration ?? '',
      report === null ? '' : count(report.rows),
      report === null ? '' : outcomesWords(report),
    ]),
  );
  const failures = ran.flatMap(({ program, failure }) =>
    failure === null ? [] : [`${program}: ${failure}`],
  );
  return [`\n${summary}`, ...failures].join('\n\n');
}

function outcomesWords({ outcomes, rows, phase }: NonNullable<RanProgram['report']>): string {
  const open = rows - settledRows(outcomes);
  return [
    ...Object.entries(outcomes).map(
      // A dry run ends before it would send these.
      ([outcome, of]) =>
        `${outcome === 'cancelled' && phase === 'planned' ? 'to be sent' : outcome} ${count(of)}`,
    ),
    ...(open > 0 ? [`open ${count(open)}`] : []),
  ].join(', ');
}
