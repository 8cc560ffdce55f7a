import { OPERATIONS } from '../../consent/operations/index.js';
import { countJobs } from '../../contracts/jobs.js';
import type { PartCount, Plan } from '../../contracts/migration.js';
import { CONFLICT_REASONS, type Outcome } from '../../contracts/outcomes.js';
import { renderParts } from './outcomes.js';
import { count, counted, duration } from './quantities.js';
import { table } from './table.js';
import { undoWarning } from './undo.js';

const EXPECTED: Partial<Record<Outcome, string>> = {
  pending_double_opt_in: 'pending_double_opt_in, confirmed with the click',
};

/** Why parts are not sent, by who decided it. The first match counts. */
const NOT_SENT: readonly {
  readonly heading: string;
  readonly holds: (part: PartCount) => boolean;
}[] = [
  {
    heading: 'Skipped by the guard: Klaviyo has an opt-out, or the state is unknown',
    holds: ({ outcome }) => outcome === 'skipped_opted_out',
  },
  {
    heading: 'Asked for a click already, and not asked again yet',
    holds: ({ reason }) => reason === 'asked_already',
  },
  {
    heading: 'True already, so nothing is sent',
    holds: ({ outcome }) => outcome !== 'rejected' && outcome !== 'cancelled',
  },
  {
    heading:
      'Duplicates and conflicts in the source (a suppression or a removal wins, else the newest change, else the later row; a refused row that may be an opt-out stops older consent)',
    holds: ({ reason }) => CONFLICT_REASONS.some((conflict) => conflict === reason),
  },
  { heading: 'Refused', holds: () => true },
];

/** Rows that go before all others. */
export interface FirstRows {
  readonly rows: number;
  /** Pause before the rest is sent, in milliseconds; null if the run ends after them. */
  readonly thenWaitMs: number | null;
}

/** What a run will do, before it has sent anything. */
export function renderPlan(plan: Plan, firstRows: FirstRows | null = null): string {
  const sections = [
    `Plan for ${counted(plan.rows, 'row')}`,
    ...notSent(plan.settledBefore),
    ...noticed(plan),
  ];
  if (plan.toSend.length === 0) {
    sections.push('Nothing is left to send.');
    return sections.join('\n\n');
  }
  const sent = table(
    [
      { head: 'channel' },
      { head: 'what' },
      { head: 'rows', align: 'right' },
      { head: 'expected outcome' },
    ],
    plan.toSend.map(({ channel, operation, parts, expected }) => [
      channel,
      OPERATIONS[operation].label,
      count(parts),
      EXPECTED[expected] ?? expected,
    ]),
  );
  sections.push(`To be sent, in ${counted(countJobs(plan.jobs), 'job')}:\n${indent(sent)}`);
  if (firstRows !== null) sections.push(firstRowsWords(firstRows));
  const calls = table(
    [{ head: 'endpoint' }, { head: 'calls', align: 'right' }],
    Object.entries(plan.calls)
      .filter(([, of]) => of > 0)
      .map(([endpoint, of]) => [endpoint, count(of)]),
  );
  sections.push(
    `Calls to Klaviyo, at least (${least(plan.atLeastMs)} at the account's limits, plus ` +
      `Klaviyo's own delay):\n${indent(calls)}`,
  );
  sections.push(
    messages(plan.doubleOptInMessages),
    ...sideEffects(plan),
    ...uploads(plan),
    ...undoes(plan),
  );
  return sections.join('\n\n');
}

function notSent(parts: Plan['settledBefore']): string[] {
  const grouped = NOT_SENT.map(({ heading }) => ({ heading, parts: [] as PartCount[] }));
  for (const part of parts) {
    const place = NOT_SENT.findIndex(({ holds }) => holds(part));
    grouped[place]?.parts.push(part);
  }
  return grouped
    .filter(({ parts }) => parts.length > 0)
    .map(({ heading, parts }) => `${heading}:\n${indent(renderParts(parts))}`);
}

function noticed({ notes = [] }: Partial<Plan>): string[] {
  if (notes.length === 0) return [];
  const counts = table(
    [{ head: 'channel' }, { head: 'note' }, { head: 'rows', align: 'right' }],
    notes.map(({ channel, note, parts }) => [channel, note, count(parts)]),
  );
  return [`Noticed in the source (see "Notes" in docs/sources.md):\n${indent(counts)}`];
}

function firstRowsWords({ rows, thenWaitMs }: FirstRows): string {
  const first = `The first ${counted(rows, 'row goes', 'rows go')} alone`;
  return thenWaitMs === null
    ? `${first}, to their end; the rest is not sent.`
    : `${first}; the rest follows ${duration(thenWaitMs)} after their end, if they end as planned.`;
}

function least(ms: number): string {
  return ms < 1_000 ? 'less than a second' : duration(ms);
}

function messages(doubleOptInMessages: number): string {
  return doubleOptInMessages === 0
    ? 'Klaviyo sends no double opt-in message.'
    : `Klaviyo sends ${counted(doubleOptInMessages, 'double opt-in message')}: e-mails and texts that ask for a click.`;
}

/** What the run does beside what its rows ask for; plans of earlier versions do not say. */
function sideEffects({ madeReachable, leaveBothTexts = 0 }: Partial<Plan>): string[] {
  const { subscribed = 0, neverSubscribed = 0 } = madeReachable ?? {};
  const sections: string[] = [];
  if (subscribed + neverSubscribed > 0) {
    sections.push(
      `Lifting suppressions makes ${counted(subscribed + neverSubscribed, 'person', 'people')} reachable by mail ` +
        `again: ${count(subscribed)} subscribed, ${count(neverSubscribed)} never subscribed. ` +
        'Whoever unsubscribed stays unsubscribed.',
    );
  }
  if (leaveBothTexts > 0) {
    const who = counted(leaveBothTexts, 'person leaves', 'people leave');
    sections.push(
      `${who} one kind of texts: Klaviyo opts them out of both, marketing and transactional.`,
    );
  }
  return sections;
}

/** Thousands do not consent in one second: such a date is when somebody loaded them into the tool. */
function uploads({ sharedDates = [] }: Partial<Plan>): string[] {
  return sharedDates.map(
    ({ channel, at, parts }) =>
      `${counted(parts, 'row has', 'rows have')} the same second as their date of consent to ${channel}, ${at}: ` +
      'that is when they were uploaded, not when they consented. Remove these dates from the source if they are wrong, ' +
      'and attest the right one with --consented-at.',
  );
}

function undoes({ isUndo, toSend }: Plan): string[] {
  const unsubscribed = toSend
    .filter(({ operation }) => operation === 'unsubscribe')
    .reduce((sum, { parts }) => sum + parts, 0);
  return isUndo && unsubscribed > 0 ? [undoWarning(unsubscribed)] : [];
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
