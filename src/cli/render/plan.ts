import type { Operation } from '../../contracts/channels.js';
import type { Plan, Preflight } from '../../contracts/migration.js';
import { renderParts } from './outcomes.js';
import { count, counted } from './quantities.js';
import { table } from './table.js';

const ASKED: Record<Operation, string> = {
  suppress: 'suppress',
  unsubscribe: 'opt out',
  add_to_list: 'put on the list, without consent',
  subscribe: 'subscribe',
};

/** What a run will do, before it has sent anything. */
export function renderPlan(plan: Plan): string {
  const sections = [`Plan for ${counted(plan.rows, 'row')}`];
  if (plan.settledBefore.length > 0) {
    sections.push(`Ends here, nothing is sent:\n${indent(renderParts(plan.settledBefore))}`);
  }
  if (plan.toSend.length === 0) {
    sections.push('Nothing is left to send.');
    return sections.join('\n\n');
  }
  const sent = table(
    [{ head: 'channel' }, { head: 'what' }, { head: 'rows', align: 'right' }],
    plan.toSend.map(({ channel, operation, parts }) => [channel, ASKED[operation], count(parts)]),
  );
  sections.push(`Is sent, in ${counted(plan.jobs.length, 'job')}:\n${indent(sent)}`);
  const calls = table(
    [{ head: 'endpoint' }, { head: 'calls', align: 'right' }],
    Object.entries(plan.calls)
      .filter(([, of]) => of > 0)
      .map(([endpoint, of]) => [endpoint, count(of)]),
  );
  sections.push(`Calls to Klaviyo, at least:\n${indent(calls)}`);
  sections.push(messages(plan.doubleOptInMessages));
  return sections.join('\n\n');
}

function messages(doubleOptInMessages: number): string {
  return doubleOptInMessages === 0
    ? 'Klaviyo sends no double opt-in message.'
    : `Klaviyo sends ${counted(doubleOptInMessages, 'double opt-in message')}: e-mails and texts that ask for a click.`;
}

/** What the preflight found out about the account. */
export function renderPreflight(preflight: Preflight): string {
  const { accountId, list, optInProcess, sms, warnings } = preflight;
  const lines = [
    `Account:        ${accountId}`,
    `List:           ${list === null ? 'none' : list.id}`,
    `Opt-in process: ${optInProcess ?? 'not known'}${list === null && optInProcess !== null ? ' (as declared)' : ''}`,
    `SMS:            ${SMS[sms.source]}${sms.countries.length > 0 ? `: ${sms.countries.join(', ')}` : ''}`,
  ];
  return [...lines, ...warnings.map((warning) => `Warning: ${warning}`)].join('\n');
}

const SMS: Record<Preflight['sms']['source'], string> = {
  api: 'senders, read from the account',
  declared: 'senders, as declared with --sms-countries',
  not_needed: 'not asked for',
};

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
