import { z } from 'zod';
import { JOB_SIZE, BATCH_SIZE } from '../../../contracts/limits.js';
import { choice, milliseconds, optional, setting, whole, yesOrNo, type Verb } from './setting.js';
import { count } from './spelling.js';
import { timing } from './timing-settings.js';

/** The CLI asks for approval of a run with more rows than this. */
const ASKED_ABOVE_ROWS = 1_000;

/** PostgreSQL counts the rows of a run as integers. */
const MOST_ROWS = 2_147_483_647;

/** Verbs that start runs. */
const RUNS: readonly Verb[] = ['migrate', 'program run'];

const shareError = 'give a number above 0 and at most 1';

/** How the run goes. */
export const runSettings = {
  dryRun: setting(yesOrNo(), {
    says: 'plan only: show what would be sent, to whom and in how long; send nothing',
    flag: { spelling: '--dry-run', verbs: RUNS },
  }),
  approvalAbove: setting(optional(whole(0)), {
    says: 'a run with more rows waits for approval after its plan',
    otherwise: 'no run waits',
    flag: {
      spelling: '--yes',
      verbs: [...RUNS, 'retry-failed'],
      switches: {
        on: null,
        off: ASKED_ABOVE_ROWS,
        says: `approve the run beforehand; without it, more than ${count(ASKED_ABOVE_ROWS)} rows wait for approval`,
      },
    },
  }),
  pilot: setting(optional(whole(1, MOST_ROWS)), {
    says: 'run this many rows to their end, then stop',
    flag: { spelling: '--pilot <rows>' },
  }),
  canary: setting(
    optional(
      z.strictObject(
        {
          rows: setting(
            whole(1, MOST_ROWS, 'give the number of rows that go first; the wait comes after them'),
            {
              says: 'run this many rows to their end first; go on only if they end as planned',
              flag: { spelling: '--canary <rows>', verbs: RUNS },
            },
          ),
          waitMs: setting(milliseconds().default(15 * 60_000), {
            says: 'pause after the canary',
            unit: 'milliseconds',
            flag: { spelling: '--wait <time>', verbs: RUNS },
          }),
        },
        { error: 'give its number of rows, such as { rows: 100 }' },
      ),
    ),
    { says: 'rows that are run to their end before all others' },
  ),
  share: setting(
    z.number({ error: shareError }).positive(shareError).max(1, shareError).default(1),
    {
      says: 'share of the account’s limits to use, above 0 to 1',
      flag: { spelling: '--share <share>', verbs: RUNS },
    },
  ),
  watchDays: setting(whole(0, 365).default(7), {
    says: 'days to follow people who have not clicked',
    flag: { spelling: '--watch-days <days>', verbs: RUNS },
  }),
  mirror: setting(choice(['auto', 'always', 'off']).default('auto'), {
    says: 'rely on what earlier reads showed, and read only what changed: where that saves calls, always, or never',
    flag: { spelling: '--mirror <use>' },
  }),
  absentIsNew: setting(yesOrNo(), {
    says: 'do not look up addresses that no profile has; only where no profile has secondary addresses',
    flag: { spelling: '--absent-is-new' },
  }),
  rowsPerJob: setting(whole(1, JOB_SIZE).default(JOB_SIZE), {
    says: 'most rows of one subscribe call',
  }),
  jobsPerBatch: setting(whole(1, BATCH_SIZE).default(BATCH_SIZE), {
    says: 'most jobs of one `consentBatch` workflow',
  }),
  timing: setting(timing.prefault({}), { says: 'waits and deadlines of the run' }),
};
