import fc from 'fast-check';
import type { Move, PersonSpec, RowSpec, RunSpec, Scenario, Trap } from './scenario.js';

/**
 * Everybody leaves mail and asks for texts, in jobs of one row each, so that the one is done before the
 * other begins. Some say STOP while the run waits to be approved, and the key may not read events: only a
 * look-up shows it.
 */
export function twoOperations(scenario: Scenario): fc.Arbitrary<Scenario> {
  const people = 6;
  const some = fc.uniqueArray(fc.integer({ min: 0, max: people - 1 }), {
    minLength: 3,
    maxLength: 6,
  });
  return some.map((stops) => ({
    ...scenario,
    ...alone(people, { ...KNOWN_BY_BOTH, email: 'SUBSCRIBED' }),
    runs: [
      {
        ...oneEach(people, { email: 'unsubscribed', sms: 'yes' }),
        texts: true,
        waitsForApproval: true,
      },
    ],
    moves: [
      ...stops.map((person): Move => ({
        cue: { at: 'time', ms: 2_500 },
        act: { do: 'stop', person },
      })),
      { cue: { at: 'time', ms: 11_000 }, act: { do: 'approve', run: 0 } },
    ],
    events: false,
    consentMaxAgeMs: 6_000,
    textConsentMaxAgeMs: 6_000,
  }));
}

/**
 * Calls and answers get lost, also of what is sent again, and what was sent is applied late: whoever
 * sends once more without a look asks people twice.
 */
export function answersGetLost(scenario: Scenario): Scenario {
  const people = 5;
  return {
    ...scenario,
    ...alone(people, KNOWN_BY_BOTH),
    runs: [{ ...oneEach(people, { email: 'yes', emailYear: 2020 }), historical: true }],
    // As long as something is to happen the answers get lost.
    moves: [{ cue: { at: 'time', ms: 9_000 }, act: { do: 'resume', run: 0 } }],
    faults: (['reset_before', 'reset_after'] as const).map((kind) => ({
      kind,
      endpoint: 'bulk_subscribe_profiles',
      share: 0.5,
    })),
  };
}

/**
 * Everybody joins the list by a form while their call is on its way, and leaves it in the same second: once
 * that is applied, an event alone tells of it, and that is dated to the second.
 */
export function leavesAtOnce(scenario: Scenario): fc.Arbitrary<Scenario> {
  const people = 4;
  const moments = fc.array(fc.integer({ min: 0, max: 1_400 }), {
    minLength: people,
    maxLength: people,
  });
  return moments.map((times) => ({
    ...scenario,
    ...alone(people, KNOWN_BY_BOTH),
    runs: [{ ...oneEach(people, { email: 'yes' }), rowsPerJob: people }],
    moves: times.map((thenMs, person): Move => ({
      cue: { at: 'submit', number: 1, moment: 'after', thenMs },
      act: { do: 'join_and_leave', person },
    })),
    faults: [],
    events: true,
  }));
}

/** Everybody seems to say yes, in a row that says it in no way that counts. */
export function everyRowIsATrap(scenario: Scenario): fc.Arbitrary<Scenario> {
  const people = 5;
  return fc.constantFrom<Trap>('kelvin', 'offset', 'twice').map((trap) => ({
    ...scenario,
    ...alone(people, KNOWN_BY_BOTH),
    runs: [
      {
        ...oneEach(people, { email: 'yes', emailYear: 2021, trap }),
        source: trap === 'twice' ? 'json' : 'csv',
      },
    ],
    moves: [],
    faults: [],
  }));
}

/** Two files take turns, and both say that everybody is unsubscribed. */
export function filesSwap(scenario: Scenario): Scenario {
  const people = 5;
  return {
    ...scenario,
    ...alone(people, KNOWN_BY_BOTH),
    runs: [{ ...oneEach(people, { email: 'unsubscribed' }), source: 'swapped' }],
    moves: [],
    faults: [],
  };
}

/** Everybody opted out before, and Klaviyo's answers do not say, or not always, whose opt-out it is. */
export function answersHideWhoLeft(scenario: Scenario): fc.Arbitrary<Scenario> {
  const people = 12;
  return fc.constantFrom('null' as const, 'null_at_times' as const).map((emailField) => ({
    ...scenario,
    ...alone(people, { ...KNOWN_BY_BOTH, email: 'UNSUBSCRIBED' }),
    runs: [{ ...oneEach(people, { email: 'yes' }), rowsPerJob: people }],
    moves: [],
    faults: [],
    switches: { emailField },
  }));
}

/** Nothing else happens that could hide it. */
function alone(
  people: number,
  person: PersonSpec,
): Pick<Scenario, 'people' | 'switches' | 'killAtCall' | 'accounts'> {
  return {
    people: Array.from({ length: people }, () => person),
    switches: {},
    killAtCall: null,
    accounts: 1,
  };
}

const KNOWN_BY_BOTH: PersonSpec = {
  hasPhone: true,
  spelling: 'lower',
  profiles: 'one',
  email: 'NEVER_SUBSCRIBED',
  sms: 'NEVER_SUBSCRIBED',
  suppression: null,
  leftList: false,
};

/** A run with the same row for everybody, each in a job of its own. */
function oneEach(people: number, row: Partial<RowSpec>): RunSpec {
  return {
    account: 0,
    list: 'single',
    historical: false,
    texts: false,
    canary: null,
    waitsForApproval: false,
    unsubscribesFromList: false,
    mirror: 'always',
    rowsPerJob: 1,
    jobsPerBatch: 1,
    rows: Array.from({ length: people }, (_, person): RowSpec => ({
      person,
      email: '',
      emailYear: null,
      sms: '',
      smsYear: null,
      suppressed: '',
      list: '',
      trap: null,
      ...row,
    })),
    source: 'csv',
    startsAfter: 0,
  };
}
