import fc from 'fast-check';
import type { Switches } from 'klaviyo-sandbox';
import type {
  Act,
  Cue,
  FaultSpec,
  Move,
  PauseAct,
  PersonAct,
  PersonSpec,
  RowSpec,
  RunAct,
  RunSpec,
  Scenario,
  State,
  Word,
} from './scenario.js';
import {
  answersGetLost,
  answersHideWhoLeft,
  everyRowIsATrap,
  filesSwap,
  leavesAtOnce,
  twoOperations,
} from './stories.js';

/** One of these, each as often as it weighs. */
function weighted<T>(
  ...choices: readonly (readonly [weight: number, value: T])[]
): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

const person: fc.Arbitrary<PersonSpec> = fc.record({
  hasPhone: weighted([3, true], [1, false]),
  spelling: weighted<PersonSpec['spelling']>([4, 'lower'], [1, 'upper'], [1, 'mixed']),
  profiles: weighted<PersonSpec['profiles']>([3, 'none'], [5, 'one'], [1, 'split'], [1, 'twice']),
  email: weighted<State>(
    [1, 'none'],
    [6, 'NEVER_SUBSCRIBED'],
    [1, 'SUBSCRIBED'],
    [2, 'UNSUBSCRIBED'],
  ),
  sms: weighted<State>(
    [2, 'none'],
    [5, 'NEVER_SUBSCRIBED'],
    [1, 'SUBSCRIBED'],
    [1, 'UNSUBSCRIBED'],
  ),
  suppression: weighted<PersonSpec['suppression']>(
    [12, null],
    [1, 'USER_SUPPRESSED'],
    [1, 'SPAM_COMPLAINT'],
    [1, 'HARD_BOUNCE'],
  ),
  leftList: weighted([9, false], [1, true]),
});

const year = fc.option(fc.integer({ min: 2015, max: 2024 }), { freq: 3 });

/** What most rows of a run say. */
const MOODS = {
  subscribing: weighted<Word>([16, 'yes'], [1, ''], [1, 'unsubscribed'], [1, 'perhaps'], [1, 'no']),
  mixed: weighted<Word>([4, 'yes'], [1, ''], [2, 'unsubscribed'], [1, 'perhaps']),
  leaving: weighted<Word>([1, 'yes'], [1, ''], [4, 'unsubscribed']),
} as const;

const row = (
  who: fc.Arbitrary<number>,
  email: fc.Arbitrary<Word>,
  sms: fc.Arbitrary<Word>,
): fc.Arbitrary<RowSpec> =>
  fc.record({
    person: who,
    email,
    emailYear: year,
    sms,
    smsYear: year,
    suppressed: weighted<RowSpec['suppressed']>(
      [20, ''],
      [1, 'yes'],
      [1, 'perhaps'],
      [2, 'lifted'],
    ),
    list: weighted<RowSpec['list']>([30, ''], [2, 'add'], [2, 'remove'], [1, 'perhaps']),
    trap: weighted<RowSpec['trap']>([24, null], [1, 'kelvin'], [1, 'offset'], [2, 'twice']),
  });

/** One row for nearly everybody, and a few that say something else about somebody. */
const rows = (people: number): fc.Arbitrary<RowSpec[]> => {
  const mood = (email: keyof typeof MOODS, texts: keyof typeof MOODS) => {
    const oneEach = Array.from({ length: people }, (_, n) =>
      row(fc.constant(n), MOODS[email], MOODS[texts]),
    );
    return fc
      .tuple(
        fc.tuple(...oneEach),
        fc.array(row(someone(people), MOODS.mixed, MOODS.mixed), { maxLength: 2 }),
      )
      .map(([first, more]) => [...first, ...more]);
  };
  return fc.oneof(
    { weight: 6, arbitrary: mood('subscribing', 'subscribing') },
    { weight: 3, arbitrary: mood('subscribing', 'mixed') },
    { weight: 2, arbitrary: mood('mixed', 'mixed') },
    { weight: 1, arbitrary: mood('leaving', 'mixed') },
    // Two operations for one person: what is read for the one is not enough for the other.
    { weight: 2, arbitrary: mood('leaving', 'subscribing') },
    { weight: 1, arbitrary: mood('subscribing', 'leaving') },
  );
};

const run = (people: number, accounts: number): fc.Arbitrary<RunSpec> =>
  fc.record({
    account: fc.integer({ min: 0, max: accounts - 1 }),
    list: weighted<RunSpec['list']>([4, 'single'], [1, 'double'], [1, null]),
    historical: weighted([4, false], [1, true]),
    texts: weighted([2, true], [1, false]),
    canary: fc.option(
      fc.record({
        rows: fc.integer({ min: 1, max: 3 }),
        waitMs: fc.constantFrom(0, 1_500, 4_000),
      }),
      { freq: 1 },
    ),
    waitsForApproval: weighted([3, false], [1, true]),
    unsubscribesFromList: weighted([4, false], [1, true]),
    mirror: weighted<RunSpec['mirror']>([3, 'always'], [1, 'off']),
    rowsPerJob: fc.constantFrom(1, 2, 3, 1_000),
    jobsPerBatch: fc.constantFrom(1, 2, 250),
    rows: rows(people),
    source: weighted<RunSpec['source']>([5, 'csv'], [3, 'json'], [1, 'swapped']),
    startsAfter: weighted([4, 0], [1, 15], [1, 40]),
  });

function someone(people: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: people - 1 });
}

const saysNo = (people: number): fc.Arbitrary<PersonAct> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: weighted<Exclude<PersonAct['do'], 'suppress'>>(
          [2, 'unsubscribe'],
          [1, 'complain'],
          [2, 'stop'],
          [1, 'leave_list'],
          [2, 'join_and_leave'],
        ),
        person: someone(people),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('suppress' as const),
        person: someone(people),
        surfacesAfterMs: fc.constantFrom(0, 0, 500, 1_500),
      }),
    },
  );

const saysYes = (people: number): fc.Arbitrary<Act> =>
  fc.record({ do: fc.constantFrom('form', 'click', 'click'), person: someone(people) });

const steers = (runs: number): fc.Arbitrary<Act> =>
  fc.record({
    do: weighted<RunAct['do']>(
      [3, 'pause'],
      [3, 'resume'],
      [2, 'approve'],
      [2, 'cancel'],
      [1, 'pause_and_cancel'],
    ),
    run: fc.integer({ min: 0, max: runs - 1 }),
  });

/** Long enough that what was read before is old, and what the people said meanwhile is known. */
const pauses = (people: number, runs: number): fc.Arbitrary<Act> =>
  fc.record({
    do: fc.constant('pause_for' as const),
    run: fc.integer({ min: 0, max: runs - 1 }),
    ms: fc.constantFrom(1_000, 5_000, 8_000),
    meanwhile: saysNo(people),
    then: weighted<PauseAct['then']>([4, 'resume'], [1, 'cancel']),
  });

const act = (people: number, runs: number): fc.Arbitrary<Act> =>
  fc.oneof(
    { weight: 12, arbitrary: saysNo(people) },
    { weight: 3, arbitrary: saysYes(people) },
    { weight: 4, arbitrary: steers(runs) },
    { weight: 2, arbitrary: pauses(people, runs) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('restart_worker', 'revoke_key', 'restore_key') }),
    },
  );

const moment = fc.constantFrom('before', 'after');

/** Most of it close to a subscribe: before it is read, on its way, or accepted and not applied. */
const cue: fc.Arbitrary<Cue> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      at: fc.constant('submit' as const),
      number: fc.integer({ min: 1, max: 5 }),
      moment,
      thenMs: fc.constantFrom(0, 0, 50, 200, 800, 2_500),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at: fc.constant('call' as const),
      number: fc.integer({ min: 1, max: 90 }),
      moment,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      at: fc.constant('time' as const),
      ms: fc.integer({ min: 0, max: 6_000 }),
    }),
  },
);

const move = (people: number, runs: number): fc.Arbitrary<Move> =>
  fc.record({ cue, act: act(people, runs) });

const ENDPOINTS = [
  null,
  'get_profiles',
  'bulk_subscribe_profiles',
  'bulk_unsubscribe_profiles',
  'bulk_unsuppress_profiles',
  'remove_profiles_from_list',
  'get_events',
  'get_profiles_for_list',
] as const;

const fault: fc.Arbitrary<FaultSpec> = fc.record({
  kind: fc.constantFrom('502', 'reset_before', 'reset_after', 'html', 'truncated', '503', '429'),
  endpoint: fc.constantFrom(...ENDPOINTS),
  share: fc.constantFrom(0.03, 0.1, 0.3),
});

const switches: fc.Arbitrary<Partial<Switches>> = fc.record(
  {
    errorsPerAnswer: fc.constantFrom<'all' | number>('all', 1),
    duplicateRows: fc.constantFrom('accept_last', 'reject'),
    twoProfiles: fc.constantFrom('merge', 'ignore_phone'),
    invalidPhoneWithEmail: fc.constantFrom('partial_failure', 'reject'),
    repeatDoubleOptInMessage: fc.boolean(),
    subscribedOnDoubleOptIn: fc.constantFrom('messaged', 'joins'),
    personOptOutMovesUpdated: fc.boolean(),
    suppressionMovesUpdated: fc.boolean(),
    events: fc.constantFrom('at_once', 'late'),
    historicalEvents: fc.constantFrom('backdated', 'now'),
    suppressionJobStatus: fc.constantFrom('lies', 'honest'),
    unfiredMetrics: fc.constantFrom('listed', 'missing'),
    filterCase: fc.constantFrom('insensitive', 'sensitive'),
    storedEmails: fc.constantFrom('lower_case', 'as_written'),
    sameIdentifier: fc.constantFrom('oldest', 'newest', 'all'),
    emailField: fc.constantFrom('kept', 'kept', 'kept', 'padded', 'null_at_times'),
    suppressionField: fc.constantFrom('array', 'array', 'array', 'array', 'null', 'absent'),
    subscriptionsField: fc.constantFrom('object', 'object', 'null_at_times'),
    acceptedRows: fc.constantFrom('applied', 'applied', 'lost_at_times'),
    smsBesideEmail: fc.constantFrom('applied', 'applied', 'lost'),
  },
  { requiredKeys: [] },
);

/** Everything that may happen to a few people, a few runs and one or two accounts. */
const anything: fc.Arbitrary<Scenario> = fc
  .record({
    people: fc.integer({ min: 3, max: 7 }),
    runs: fc.integer({ min: 1, max: 3 }),
    accounts: weighted<1 | 2>([7, 1], [1, 2]),
  })
  .chain(({ people, runs, accounts }) =>
    fc.record({
      people: fc.array(person, { minLength: people, maxLength: people }),
      runs: fc.array(run(people, accounts), { minLength: runs, maxLength: runs }),
      moves: fc.array(move(people, runs), { minLength: 2, maxLength: 12 }),
      faults: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(fault, { minLength: 1, maxLength: 2 }) },
      ),
      switches,
      clockAheadMs: fc.constantFrom(0, 0, 3_600_000, -3_600_000),
      events: weighted([3, true], [2, false]),
      consentMaxAgeMs: fc.constantFrom(3_000, 60_000),
      textConsentMaxAgeMs: fc.constantFrom(1_500, 3_000),
      readLagMs: fc.constantFrom(0, 0, 0, 300, 800),
      killAtCall: fc.oneof(
        { weight: 14, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.integer({ min: 8, max: 80 }) },
      ),
      accounts: fc.constant(accounts),
    }),
  );

/** Also what is so rare that it has to be told as a story. */
export const scenarios: fc.Arbitrary<Scenario> = fc.oneof(
  { weight: 16, arbitrary: anything },
  { weight: 1, arbitrary: anything.chain(twoOperations) },
  { weight: 1, arbitrary: anything.map(answersGetLost) },
  { weight: 1, arbitrary: anything.chain(leavesAtOnce) },
  { weight: 1, arbitrary: anything.chain(everyRowIsATrap) },
  { weight: 1, arbitrary: anything.map(filesSwap) },
  { weight: 1, arbitrary: anything.chain(answersHideWhoLeft) },
);

/** The scenario of a seed: the same at every time. */
export function scenarioOf(seed: number): Scenario {
  const [scenario] = fc.sample(scenarios, { seed, numRuns: 1 });
  if (scenario === undefined) throw new Error(`no scenario for seed ${seed}`);
  return scenario;
}
