import type { SubscribedLine, TruthLine } from 'klaviyo-sandbox';
import type { ReportedPart } from '../../../src/ledger/index.js';
import { LISTS } from '../play/account.js';
import type { Chronicle, RunChronicle } from '../chronicle.js';
import { untrue } from './outcome-rule.js';
import { sentAgainstSource } from './source-rule.js';
import { TIMING } from '../play/source-file.js';
import { isReached, type JudgedChannel, type Timeline, type Word } from './timeline.js';
import { accountAt, carriedBy, everyChannel, identifierOf, isOn, Timelines } from './timelines.js';

/** Something that must never be. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  /** For how long people were subscribed against their no, ms each. */
  readonly exposures: readonly number[];
  /** How long before they were sent people had said no, unseen, ms each. */
  readonly gaps: readonly number[];
  /** What happened, in a few words. */
  readonly summary: string;
}

/** A no that is older than this is known: feeds, late events and late reads are behind by less. */
const KNOWN_AFTER_MS = 4_000;

/** How old a reading of texts may be beside what its look-up and the call take. */
const BEHIND_MS = 1_500;

function knownAfterMs(channel: JudgedChannel, { scenario, slack }: Chronicle): number {
  const aged = channel === 'sms' ? scenario.textConsentMaxAgeMs + BEHIND_MS : 0;
  return slack * Math.max(KNOWN_AFTER_MS, aged);
}

/**
 * One to mail sooner, where calls get through: the suppressions by time show it at once, however old what
 * the guard read is. Those by hand are read less often, and surface late.
 */
const SUPPRESSED_AFTER_MS = 2_000;

/**
 * From a no to the subscribe that lifts it without a trace, where the key may not read events: such a
 * key leaves a window from the last reading of a person to the moment at which a call is applied.
 */
const unseenWithinMs = (channel: JudgedChannel, chronicle: Chronicle): number =>
  knownAfterMs(channel, chronicle) + chronicle.slack * 2_500;

/** Whoever was subscribed all the same is out again by then, where calls get through. */
const REPAIRED_WITHIN_MS = 8_000;

/** A call that was on the wire when `cancel` returned. */
const ON_THE_WIRE_MS = 1_000;

const HISTORY_BOUND = 400;

/** Judges what happened by the promises of the product alone. */
export function judge(chronicle: Chronicle): Judgement {
  const timelines = new Timelines(chronicle);
  const exposures = timelines.exposures();
  return {
    violations: [
      ...finalConsent(chronicle, timelines),
      ...exposedTooLong(chronicle, exposures),
      ...calls(chronicle, timelines),
      ...chronicle.runs.flatMap((run) => [...outcomes(chronicle, run, timelines)]),
      ...quiet(chronicle),
    ],
    exposures,
    gaps: gapsOf(chronicle, timelines),
    summary: summaryOf(chronicle),
  };
}

function summaryOf({ runs, accounts }: Chronicle): string {
  const sent = accounts.reduce((sum, { carried }) => sum + carried.length, 0);
  const changes = accounts.reduce((sum, account) => sum + account.changes.length, 0);
  const phases = runs.map(({ phase, parts }) => `${phase} (${outcomesOf(parts)})`).join('; ');
  return `${phases}; ${sent} sent, ${changes} changes of consent`;
}

function outcomesOf(parts: readonly ReportedPart[]): string {
  const counts = new Map<string, number>();
  for (const { outcome, reason } of parts) {
    const name = [outcome ?? 'open', reason].join(' ').trim();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
}

/**
 * Whether a no can have been seen that a subscribe has lifted: by its event, or for as long as it was
 * there. A suppression by hand has no event, and is read less often.
 */
function leftATrace(
  chronicle: Chronicle,
  channel: JudgedChannel,
  no: Word,
  liftedAt: number,
): boolean {
  if (channel === 'email' && hidesAddresses(chronicle)) return no.at === -Infinity;
  return (
    (chronicle.scenario.events && no.how !== 'USER_SUPPRESSED') ||
    liftedAt - no.at > unseenWithinMs(channel, chronicle)
  );
}

/** Who said no last is neither subscribed nor, where it was about a list, on it. */
function* finalConsent(chronicle: Chronicle, timelines: Timelines): Generator<Violation> {
  for (const [place, channel, identifier] of everyChannel(chronicle)) {
    const timeline = timelines.of(place, channel, identifier);
    const profiles = accountAt(chronicle.accounts, place).after.filter((line) =>
      isOf(line, channel, identifier),
    );
    const no = timeline.noAt(Infinity, null);
    for (const profile of profiles) {
      if (!isReachedAtEnd(profile, channel)) continue;
      const since = timeline.reachedSince(profile.id);
      if (
        no !== null &&
        since !== null &&
        since > no.at &&
        leftATrace(chronicle, channel, no, since)
      ) {
        yield {
          rule: 'subscribed_against_no',
          what: `${channel} ${identifier}: ${no.how}, and subscribed ${since - no.at} ms later`,
        };
      }
      if (channel === 'sms') continue;
      for (const listId of Object.values(LISTS)) {
        const left = timeline.noAt(Infinity, listId);
        if (left?.listId !== listId || !isOn(profile, listId)) continue;
        const backOn = timeline.backOnListAt(profile.id, listId);
        if (backOn !== null && !leftATrace(chronicle, channel, left, backOn)) continue;
        yield { rule: 'on_list_against_no', what: `${identifier} is on ${listId}: ${left.how}` };
      }
    }
  }
}

function* exposedTooLong(chronicle: Chronicle, exposures: readonly number[]): Generator<Violation> {
  const { scenario, answersWereLost, slack } = chronicle;
  // Calls that fail, workers that are dead and keys that are refused repair nothing meanwhile.
  if (answersWereLost || scenario.accounts > 1 || hidesAddresses(chronicle)) return;
  for (const ms of exposures) {
    if (ms > slack * REPAIRED_WITHIN_MS) {
      yield { rule: 'exposed_too_long', what: `subscribed for ${ms} ms against a no` };
    }
  }
}

function* calls(chronicle: Chronicle, timelines: Timelines): Generator<Violation> {
  for (const [place, account] of chronicle.accounts.entries()) {
    const latest = new Map<string, number>();
    const asked = new Map<Timeline, Map<string | null, Question>>();
    for (const line of account.carried) {
      const run = chronicle.runs.find(({ customSource }) => customSource === line.custom_source);
      const at = Date.parse(line.sent_at);
      if (run === undefined || run.spec.account !== place) {
        yield { rule: 'foreign_run', what: `account ${place} got ${line.custom_source ?? '?'}` };
        continue;
      }
      if (run.cancelledAt !== null && at > run.cancelledAt + chronicle.slack * ON_THE_WIRE_MS) {
        yield {
          rule: 'sent_after_cancel',
          what: `${line.email ?? line.phone_number ?? '?'}, ${at - run.cancelledAt} ms after`,
        };
      }
      for (const [channel, identifier] of carriedBy(line)) {
        const who = account.people.find((one) => identifierOf(one, channel) === identifier);
        if (who === undefined) {
          yield { rule: 'foreign_person', what: `account ${place} got ${identifier}` };
          continue;
        }
        const no = knownNo(chronicle, timelines.of(place, channel, identifier), channel, line);
        if (no !== null) {
          const age = no.at === -Infinity ? 'before everything' : `${at - no.at} ms before`;
          yield { rule: 'sent_against_no', what: `${channel} ${identifier}: ${no.how}, ${age}` };
        }
        yield* sentTwice(chronicle, run, `${channel} ${identifier}`, at, latest);
        yield* askedTwice(timelines.of(place, channel, identifier), run, line, asked);
        if (sentAgainstSource(run.spec, channel, account.people.indexOf(who))) {
          yield { rule: 'sent_against_source', what: `${channel} ${identifier}` };
        }
      }
    }
  }
}

/**
 * Klaviyo's feeds do not say whose opt-out it is: who says no meanwhile is known by a look-up alone, by
 * chance. Who had said it before is not sent all the same.
 */
function hidesAddresses({ scenario: { switches } }: Chronicle): boolean {
  return switches.emailField === 'null_at_times' || switches.emailField === 'null';
}

/** What the run must have known when it sent somebody. */
function knownNo(
  chronicle: Chronicle,
  timeline: Timeline,
  channel: JudgedChannel,
  { sent_at, list_id }: SubscribedLine,
): Word | null {
  const { scenario, answersWereLost, slack } = chronicle;
  const at = Date.parse(sent_at);
  if (channel === 'email' && hidesAddresses(chronicle)) {
    const no = timeline.noAt(at, list_id);
    return no?.at === -Infinity ? no : null;
  }
  const seen = (no: Word | null): Word | null => {
    const liftedAt = no === null ? null : timeline.liftedAt(no, at);
    if (no === null || liftedAt === null) return no;
    return leftATrace(chronicle, channel, no, liftedAt) ? no : null;
  };
  const known = seen(timeline.noAt(at, list_id, knownAfterMs(channel, chronicle)));
  const isSlow = scenario.faults.length > 0 || answersWereLost;
  if (known !== null || channel !== 'email' || isSlow) return known;
  const quick = seen(timeline.noAt(at, list_id, slack * SUPPRESSED_AFTER_MS));
  return quick?.how === 'USER_SUPPRESSED' ? null : quick;
}

function gapsOf({ accounts }: Chronicle, timelines: Timelines): number[] {
  return accounts.flatMap(({ carried }, place) =>
    carried.flatMap((line) =>
      carriedBy(line).flatMap(([channel, identifier]) => {
        const at = Date.parse(line.sent_at);
        const no = timelines.of(place, channel, identifier).noAt(at, line.list_id);
        return no === null || no.at === -Infinity ? [] : [at - no.at];
      }),
    ),
  );
}

function* sentTwice(
  { answersWereLost }: Chronicle,
  run: RunChronicle,
  who: string,
  at: number,
  latest: Map<string, number>,
): Generator<Violation> {
  const key = `${run.id} ${who}`;
  const before = latest.get(key);
  latest.set(key, at);
  if (before === undefined) return;
  if (!answersWereLost) {
    yield { rule: 'sent_twice', what: `${who}, though no answer was lost` };
  } else if (at - before < TIMING.lostAnswerWaitMs * 0.8) {
    yield { rule: 'sent_twice', what: `${who}, unread, after ${at - before} ms` };
  }
}

interface Question {
  readonly run: string;
  readonly at: number;
}

/** No run asks for a click that another one has asked for, unless it came meanwhile. */
function* askedTwice(
  timeline: Timeline,
  run: RunChronicle,
  { sent_at, list_id, historical_import: isHistorical }: SubscribedLine,
  asked: Map<Timeline, Map<string | null, Question>>,
): Generator<Violation> {
  if (isHistorical || list_id === LISTS.single) return;
  const at = Date.parse(sent_at);
  const before = asked.get(timeline)?.get(list_id);
  asked.set(timeline, new Map(asked.get(timeline)).set(list_id, { run: run.id, at }));
  if (before === undefined || before.run === run.id) return;
  const hasClicked = timeline.during(before.at, at).some(({ consent }) => consent === 'SUBSCRIBED');
  if (hasClicked) return;
  yield { rule: 'asked_twice', what: `by ${before.run} and ${run.id}, ${at - before.at} ms later` };
}

function* outcomes(
  chronicle: Chronicle,
  run: RunChronicle,
  timelines: Timelines,
): Generator<Violation> {
  const account = accountAt(chronicle.accounts, run.spec.account);
  if (!run.finished) yield { rule: 'not_finished', what: `${run.id} is ${run.phase}` };
  if (run.phase === 'failed' && !/canary/i.test(run.failure ?? '')) {
    yield { rule: 'failed', what: run.failure ?? 'without a word' };
  }
  for (const part of run.parts) {
    const where = `${run.id} row ${part.rowNumber} ${part.channel}: ${part.outcome ?? 'open'} (${part.reason ?? ''})`;
    if (part.outcome === null) {
      yield { rule: 'no_outcome', what: where };
      continue;
    }
    const why = untrue(chronicle, run, part, account, timelines);
    if (why !== null) yield { rule: 'untrue_outcome', what: `${where}: ${why}` };
  }
}

/** Nothing is left over, grows without end, or asks too much of Klaviyo. */
function* quiet({
  scenario,
  stuck,
  openWorkflows,
  histories,
  accounts,
}: Chronicle): Generator<Violation> {
  if (stuck !== null) yield { rule: 'not_quiet', what: stuck };
  for (const id of openWorkflows) yield { rule: 'open_workflow', what: id };
  for (const { workflowId, events } of histories) {
    if (events > HISTORY_BOUND) {
      yield { rule: 'history_too_long', what: `${workflowId} has ${events} events` };
    }
  }
  const isInjected = scenario.faults.some(({ kind }) => kind === '429');
  for (const [place, { throttled }] of accounts.entries()) {
    if (throttled > 0 && !isInjected) {
      yield { rule: 'throttled', what: `account ${place} answered 429 ${throttled} times` };
    }
  }
}

function isOf(line: TruthLine, channel: JudgedChannel, identifier: string): boolean {
  return (channel === 'email' ? line.email?.toLowerCase() : line.phone_number) === identifier;
}

function isReachedAtEnd({ id, subscriptions }: TruthLine, channel: JudgedChannel): boolean {
  const { email, sms } = subscriptions;
  return isReached({
    at: Infinity,
    profileId: id,
    consent: channel === 'email' ? email.marketing.consent : sms.marketing.consent,
    suppressions:
      channel === 'email' ? email.marketing.suppression.map(({ reason }) => reason) : [],
    listSuppressions: [],
  });
}
