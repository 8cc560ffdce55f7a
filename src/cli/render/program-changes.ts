import type { AppliedChange } from '../run/applied-change.js';
import { differs, type PlannedChange } from '../run/plan-changes.js';
import { count, counted } from './quantities.js';
import { offWords } from './program-off.js';
import { segmentWords } from './segment.js';
import { table } from './table.js';

/** A planned change in `--json`. The keys are stable. */
export function changeDocument(planned: PlannedChange): Readonly<Record<string, unknown>> {
  const { found, createsList, toSend, doubleOptInMessages, askedAlready } = planned;
  const { consent, migration, segment, off, failure } = planned;
  const { program, account, accountId, change, keys, runs, running } = found;
  return {
    program,
    account: { name: account, id: accountId },
    change,
    keys,
    runs,
    running,
    createsList,
    toSend: toSend.map(({ channel, operation, parts }) => ({ channel, operation, parts })),
    doubleOptInMessages,
    askedAlready,
    consent,
    migration,
    segment,
    endsSegment: found.endsSegment,
    off,
    failure,
  };
}

const CHANGE_WORDS: Readonly<Record<PlannedChange['found']['change'], string>> = {
  none: 'no change',
  running: 'no change; its migration runs',
  new: 'new',
  switched_on: 'switched on',
  changed: 'changed',
  unfinished: 'its last run did not end',
  switched_off: 'switched off',
  removed: 'no longer in the file',
};

/** All programs, and what applying the file would do for each. */
export function renderChanges(planned: readonly PlannedChange[]): string {
  if (planned.length === 0) return 'There are no programs yet.';
  const failures = planned.flatMap(({ found, failure }) =>
    failure === null ? [] : [`${found.program}: ${failure}`],
  );
  const differing = planned.filter(({ found }) => differs(found)).length;
  return [
    table(
      [
        { head: 'program' },
        { head: 'account' },
        { head: 'change' },
        { head: 'would do' },
        { head: 'subscribed already', align: 'right' },
      ],
      planned.map((each) => [
        each.found.program,
        `${each.found.account} (${each.found.accountId})`,
        changeWords(each),
        effectWords(each),
        each.consent === null ? '' : count(alreadyIn(each)),
      ]),
    ),
    ...failures,
    ...planned.flatMap(({ found, segment }) =>
      segment === null ? [] : [`${found.program}: ${segmentWords(segment)}`],
    ),
    ...planned.flatMap(({ found: { program, endsSegment } }) =>
      endsSegment === null ? [] : [endsSegmentWords(program, endsSegment)],
    ),
    ...planned.flatMap(({ found, off }) => (off === null ? [] : [offWords(found.program, off)])),
    differing === 0
      ? 'Nothing differs from what was applied last.'
      : `${counted(differing, 'program')} would change. Nothing was sent.`,
  ].join('\n\n');
}

function endsSegmentWords(program: string, people: number): string {
  return (
    `${program}: its segment of ${counted(people, 'person', 'people')} ends. Nobody leaves because of it, but it keeps ` +
    'nobody on a list, or subscribed, any more whom another segment lets go. A program of another name is another ' +
    'segment; one that is back counts again from its next run on.'
  );
}

function changeWords({ found: { change, keys } }: PlannedChange): string {
  const words = CHANGE_WORDS[change];
  return change === 'changed' ? `${words}: ${keys.join(', ')}` : words;
}

function effectWords(planned: PlannedChange): string {
  const { found, failure } = planned;
  if (failure !== null) return 'cannot be applied';
  if (!differs(found)) return 'nothing';
  const off = planned.off?.unsubscribes ?? [];
  if (!found.runs && off.length === 0) {
    return 'nothing is sent; nobody is asked any more for what was taken out';
  }
  return [
    ...off.map(({ channel, parts }) => `unsubscribe ${count(parts)} (${channel})`),
    ...(found.runs ? runWords(planned) : []),
  ].join(', ');
}

function runWords(planned: PlannedChange): string[] {
  const { createsList, toSend, doubleOptInMessages, askedAlready } = planned;
  return [
    ...(createsList === null ? [] : [createsListWords(createsList, alreadyIn(planned))]),
    ...(toSend.length === 0 ? ['send nothing'] : []),
    ...toSend.map(
      ({ channel, operation, parts }) =>
        `${operation.replaceAll('_', ' ')} ${count(parts)} (${channel})`,
    ),
    ...(doubleOptInMessages === 0
      ? []
      : [`with ${counted(doubleOptInMessages, 'double opt-in message')}`]),
    ...(askedAlready === 0 ? [] : [`not ask ${count(askedAlready)} again who were asked already`]),
  ];
}

/** A dry run has no list that is not there, so it does not count who joins it without being asked. */
function createsListWords(name: string, subscribed: number): string {
  const others = subscribed === 0 ? '' : ' and add whoever is subscribed already';
  return `create the list "${name}"${others}`;
}

function alreadyIn({ consent }: PlannedChange): number {
  return (consent ?? [])
    .filter(({ state }) => state === 'subscribed')
    .reduce((sum, { contacts }) => sum + contacts, 0);
}

/** What became of every change. */
export function renderApplied(applied: readonly AppliedChange[]): string {
  const failures = applied.flatMap(({ program, failure }) =>
    failure === null ? [] : [`${program}: ${failure}`],
  );
  return [
    table(
      [
        { head: 'program' },
        { head: 'status' },
        { head: 'list created' },
        { head: 'migration' },
        { head: 'unsubscribed by' },
      ],
      applied.map(({ program, status, createdList, migration, off }) => [
        program,
        status,
        createdList?.id ?? '',
        migration ?? '',
        off?.migration ?? '',
      ]),
    ),
    ...failures,
  ].join('\n\n');
}
