import fc from 'fast-check';
import type { FaultKind, Switches } from 'klaviyo-sandbox';

/** What somebody does, or what happens to them. People are counted in the order of their creation. */
export interface Act {
  readonly do: (typeof ACTS)[number];
  readonly person: number;
  /** Of those that take two. */
  readonly other: number;
}

const LEAVING = [
  'follow_link',
  'leave_list',
  'text_stop',
  'complain',
  'lose_number',
  'unsubscribe_by_api',
  'stop_by_api',
  'suppress',
  'suppress_late',
  'suppress_by_api',
] as const;
const COMING = ['fill_form', 'give_number', 'join_list', 'subscribe_by_api', 'unsuppress'] as const;
const MOVING = [
  'appear',
  'change_email',
  'change_number',
  'take_number',
  'merge',
  'merge_with_number',
  'be_deleted',
  'come_back',
  'be_added',
  'be_removed',
  'rename_list',
  'delete_list',
] as const;
export const ACTS = [...LEAVING, ...COMING, ...MOVING] as const;

/** What ends a run in the middle. */
export interface Disturbance {
  readonly atCall: number;
  readonly how: 'terminate' | 'cancel' | 'restart_worker' | 'kill_worker' | 'kill_and_terminate';
}

export interface RunSpec {
  /** Of Klaviyo's time, before it. */
  readonly afterMs: number;
  readonly full: boolean;
  readonly before: readonly Act[];
  /** At calls of the run. */
  readonly during: readonly { readonly atCall: number; readonly act: Act }[];
  readonly disturbance: Disturbance | null;
  readonly faults: readonly { readonly kind: FaultKind; readonly share: number }[];
}

export interface SyncScenario {
  readonly destination: 'postgresql' | 'mariadb';
  readonly onDeleted: 'erase' | 'keep';
  /** A worker in a process of its own, which can be killed. */
  readonly isKilled: boolean;
  readonly profiles: number;
  /** From which run on the sync has a table of list memberships: 0 is the first. */
  readonly listsFrom: number;
  readonly runs: readonly RunSpec[];
  readonly switches: Partial<Switches>;
  readonly readLagMs: number;
  readonly clockAheadMs: number;
  readonly oldSmsMetricNames: boolean;
}

function weighted<T>(
  ...choices: readonly (readonly [weight: number, value: T])[]
): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

const act: fc.Arbitrary<Act> = fc.record({
  do: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...LEAVING) },
    { weight: 3, arbitrary: fc.constantFrom(...COMING) },
    { weight: 3, arbitrary: fc.constantFrom(...MOVING) },
  ),
  person: fc.nat({ max: 9_999 }),
  other: fc.nat({ max: 9_999 }),
});

const run = (isKilled: boolean): fc.Arbitrary<RunSpec> =>
  fc.record({
    afterMs: fc.constantFrom(0, 0, 60_000, 20 * 60_000, 3 * 3_600_000, 26 * 3_600_000),
    full: weighted([3, false], [1, true]),
    before: fc.array(act, { maxLength: 10 }),
    during: fc.array(fc.record({ atCall: fc.integer({ min: 1, max: 40 }), act }), {
      maxLength: 10,
    }),
    disturbance: fc.option(
      fc.record({
        atCall: fc.integer({ min: 1, max: 40 }),
        how: isKilled
          ? weighted<Disturbance['how']>([1, 'kill_worker'], [6, 'kill_and_terminate'])
          : weighted<Disturbance['how']>([3, 'terminate'], [2, 'cancel'], [2, 'restart_worker']),
      }),
      { freq: 2 },
    ),
    faults: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          fc.record({
            kind: fc.constantFrom<FaultKind>(
              '503',
              '502',
              'reset_before',
              'reset_after',
              '429',
              'truncated',
            ),
            share: fc.constantFrom(0.03, 0.1),
          }),
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
  });

const switches: fc.Arbitrary<Partial<Switches>> = fc.record(
  {
    personOptOutMovesUpdated: fc.boolean(),
    suppressionMovesUpdated: fc.boolean(),
    events: fc.constantFrom('at_once', 'late'),
    unfiredMetrics: fc.constantFrom('listed', 'missing'),
    filterCase: fc.constantFrom('insensitive', 'sensitive'),
    storedEmails: fc.constantFrom('lower_case', 'as_written'),
    sameIdentifier: fc.constantFrom('oldest', 'newest', 'all'),
    twoProfiles: fc.constantFrom('merge', 'ignore_phone'),
    emailField: weighted([6, 'kept'], [1, 'padded'], [1, 'null_at_times']),
    suppressionField: weighted([4, 'array'], [1, 'null'], [1, 'absent']),
    subscriptionsField: weighted([3, 'object'], [1, 'null_at_times']),
    eventMetric: weighted([4, 'named'], [1, 'missing_at_times'], [1, 'unknown']),
    additionalFieldsLimit: fc.constantFrom('none', 'shared'),
  },
  { requiredKeys: [] },
);

export const scenarios: fc.Arbitrary<SyncScenario> = weighted([4, false], [1, true]).chain(
  (isKilled) =>
    fc.record({
      destination: fc.constantFrom('postgresql', 'mariadb'),
      onDeleted: weighted<SyncScenario['onDeleted']>([4, 'erase'], [1, 'keep']),
      isKilled: fc.constant(isKilled),
      profiles: fc.constantFrom(30, 120, 450),
      listsFrom: weighted([4, 0], [1, 1]),
      runs: fc.array(run(isKilled), { minLength: 3, maxLength: 6 }),
      switches,
      readLagMs: fc.constantFrom(0, 0, 0, 300, 800),
      clockAheadMs: fc.constantFrom(0, 0, 7_200_000, -7_200_000),
      oldSmsMetricNames: fc.boolean(),
    }),
);

/** The scenario of a seed: the same at every time. */
export function scenarioOf(seed: number): SyncScenario {
  const [scenario] = fc.sample(scenarios, { seed, numRuns: 1 });
  if (scenario === undefined) throw new Error(`no scenario for seed ${seed}`);
  return scenario;
}

/** What happens to people, one after the other: the same at every time. */
export function actsOf(seed: number, count: number): Act[] {
  return fc.sample(act, { seed, numRuns: count });
}
