import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_SWITCHES, type Switches } from 'klaviyo-sandbox';
import type { Report } from '../../../src/starter/migrations/report.js';
import { HIDING_SWITCHES } from './hiding-switches.js';
import { people } from '../../support/people.js';
import { TEST_TIMING } from '../../support/settings.js';
import { messyAccount } from './messy-account.js';
import { scenario } from '../scenario.js';
import { startWorld } from '../world.js';

describe('every open question, answered both ways', () => {
  const answered = new Set<string>();
  const noted = <T extends Partial<Switches>>(switches: T): T => {
    for (const name of Object.keys(switches)) answered.add(name);
    return switches;
  };

  describe('in three accounts at once', { concurrency: 3 }, () => {
    describe('about subscribes', { concurrency: 1 }, () => {
      const { answer, answerFully, answerTwice } = messyAccount();
      scenario('switch-1', 'a refusal that names one bad row at a time', async () => {
        const reports = await answerFully(noted({ errorsPerAnswer: 1 }));
        // One for each number of Canada; the run for the past asks for no texts.
        assert.deepEqual(reports.map(refusedCalls), [4, 4, 0]);
      });
      scenario('switch-2', 'a call that is refused if it names somebody twice', async () => {
        const reports = await answer(noted({ duplicateRows: 'reject' }));
        assert.deepEqual(reports.map(refusedCalls), [1], 'only for the numbers of Canada');
      });
      scenario(
        'switch-5',
        'one confirmation message, however often somebody is asked',
        async () => {
          await answerTwice(noted({ repeatDoubleOptInMessage: false }));
        },
      );
      scenario(
        'switch-6',
        'a double opt-in list that subscribed people join without a click',
        async () => {
          await answer(noted({ subscribedOnDoubleOptIn: 'joins' }));
        },
      );
    });

    describe('about what is read back', { concurrency: 1 }, () => {
      const { answer, answerFully } = messyAccount();
      scenario('switch-7', 'a link or a STOP that changes the date of the profile', async () => {
        await answer(noted({ personOptOutMovesUpdated: true }));
      });
      scenario('switch-8', 'a suppression that changes the date of the profile', async () => {
        await answer(noted({ suppressionMovesUpdated: true }));
      });
      scenario('switch-9', 'events that are written long after the consent', async () => {
        await answerFully(noted({ events: 'late' }));
      });
      scenario('switch-28', 'events that do not say what happened', async () => {
        for (const eventMetric of ['missing_at_times', 'missing', 'unknown'] as const) {
          await answer(noted({ eventMetric }));
        }
      });
      scenario('switch-29', 'answers that tell programs what to do', async () => {
        await answer(noted({ agentHints: 'given' }));
      });
      scenario('switch-10', 'events of historical consent that are dated now', async () => {
        await answerFully(noted({ historicalEvents: 'now' }));
      });
      scenario('switch-11', 'suppression jobs that report correctly', async () => {
        await answer(noted({ suppressionJobStatus: 'honest' }));
      });
      scenario('switch-12', 'an unknown id that is a bad request', async () => {
        await answer(noted({ unknownIdOnGet: 400 }));
      });
    });

    describe('about numbers, and what a key may do', { concurrency: 1 }, () => {
      const { answer, answerFully } = messyAccount();
      scenario('switch-30', 'segments that are hours behind', async () => {
        await answer(noted({ segmentMembers: 'hours_behind' }));
      });
      scenario('switch-13', 'metrics that are listed before their first event', async () => {
        await answer(noted({ unfiredMetrics: 'listed' }));
      });
      scenario('switch-3', 'a number that is dropped if it is somebody else’s', async () => {
        await answer(noted({ twoProfiles: 'ignore_phone' }));
      });
      scenario('switch-4', 'a bad number that is refused beside a good address', async () => {
        await answerFully(noted({ invalidPhoneWithEmail: 'reject' }));
      });
      scenario('switch-14', 'filters that take dates with an offset', async () => {
        await answer(noted({ offsetInFilter: 'accepted' }));
      });
      scenario('switch-15', 'a newer revision that is answered as the newest known', async () => {
        await answer(noted({ unlistedRevision: 'falls_back' }));
      });
      scenario('switch-16', 'a key that may use webhooks', async () => {
        await answer(noted({ webhooks: 'allowed' }));
      });
      scenario('switch-17', 'an account that accepts no push tokens', async () => {
        await answer(noted({ pushTokens: 'refused' }));
      });
      scenario('switch-18', 'a key that may use the bulk export', async () => {
        await answer(noted({ bulkExport: 'allowed' }));
      });
      scenario('switch-19', 'an export whose download is a link', async () => {
        await answer(noted({ exportDownload: 'link' }));
      });
    });
  });

  scenario('switch-31', 'a narrow limit that all reads of consent share', async () => {
    // A tenth of the limits, in windows of a sixtieth: 1 such read in 17 ms, 15 in a second.
    const world = await startWorld({ rateLimitFactor: 0.1, speed: 60 });
    try {
      world.turn(noted({ additionalFieldsLimit: 'shared' }));
      const [left = '', ...others] = people(40);
      world.sandbox.account.seed({ email: left, email_consent: 'UNSUBSCRIBED' });
      const rows = [left, ...others].map((email) => `${email},yes`);
      const { report } = await world.migrate(['email,email_consent', ...rows], {
        timing: { ...TEST_TIMING, confirmWithinMs: 60_000, optOutsMaxAgeMs: 5_000 },
      });
      assert.deepEqual(report.outcomes, { confirmed: 39, skipped_opted_out: 1 });
      const waited = world.sandbox.account.requests().some(({ statuses }) => '429' in statuses);
      assert.ok(waited, 'the limit was never met');
    } finally {
      await world.close();
    }
  });

  test('no open question is left out', () => {
    const all = [...answered, ...HIDING_SWITCHES];
    assert.deepEqual(all.sort(), Object.keys(DEFAULT_SWITCHES).sort());
  });
});

/** Subscribe calls of a run that Klaviyo refused for some of their rows. */
function refusedCalls(report: Report | undefined): number {
  const refused = report?.calls.filter(
    ({ endpoint, status }) => endpoint === 'bulk_subscribe_profiles' && status === '400',
  );
  return (refused ?? []).reduce((sum, { calls }) => sum + calls, 0);
}
