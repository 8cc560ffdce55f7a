import fc from 'fast-check';
import type { Move, PersonSpec, RowSpec, RunSpec, Scenario } from './scenario.js';

/**
 * Everybody leaves mail and asks for texts, in jobs of one row each, so that the one is done before the
 * other begins. Some say STOP while the run waits to be approved, and the key may not read events: only a
 * look-up shows it.
 */
export function twoOperations(scenario: Scenario): fc.Arbitrary<Scenario> {
  const people = Array.from({ length: 6 }, (): PersonSpec => KNOWN_BY_BOTH);
  const some = fc.uniqueArray(fc.integer({ min: 0, max: people.length - 1 }), {
    minLength: 3,
    maxLength: 6,
  });
  return some.map((stops) => ({
    ...scenario,
    people,
    runs: [leavesMailForTexts(people.length)],
    moves: [
      ...stops.map((person): Move => ({
        cue: { at: 'time', ms: 2_500 },
        act: { do: 'stop', person },
      })),
      { cue: { at: 'time', ms: 11_000 }, act: { do: 'approve', run: 0 } },
    ],
    switches: {},
    events: false,
    consentMaxAgeMs: 6_000,
    textConsentMaxAgeMs: 6_000,
    killAtCall: null,
    accounts: 1,
  }));
}

const KNOWN_BY_BOTH: PersonSpec = {
  hasPhone: true,
  spelling: 'lower',
  profiles: 'one',
  email: 'SUBSCRIBED',
  sms: 'NEVER_SUBSCRIBED',
  suppression: null,
  leftList: false,
};

function leavesMailForTexts(people: number): RunSpec {
  return {
    account: 0,
    list: 'single',
    historical: false,
    texts: true,
    canary: null,
    needsApproval: true,
    rowsPerJob: 1,
    jobsPerSegment: 1,
    rows: Array.from({ length: people }, (_, person): RowSpec => ({
      person,
      email: 'unsubscribed',
      emailYear: null,
      sms: 'yes',
      smsYear: null,
      suppressed: '',
    })),
    startsAfter: 0,
  };
}
