import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { DEFAULT_SWITCHES, type Switches } from 'klaviyo-sandbox';
import { compareWithTruth } from '../../../src/demo/truth.js';
import type { Report } from '../../../src/starter/migrations/report.js';
import type { MigrationRequest } from '../../../src/starter/migrations/request/migration-request.js';
import { DOUBLE, SINGLE } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { DROPPED_DOMAIN } from './messy-phones.js';
import { messySource, type MessySource } from './messy-source.js';
import { WITHOUT_SENDERS } from '../scopes.js';
import { startWorld, type World } from '../world.js';

const COMMON = {
  // The key can't read that there is no sender in Canada: Klaviyo has to refuse the numbers.
  smsCountries: ['US', 'CA'],
  timing: { ...TEST_TIMING, confirmWithinMs: 1_500, membershipWithinMs: 5_000 },
} as const;
type Asked = Partial<MigrationRequest> & { readonly listId: string };

/** Live into a double opt-in list, which half of the people confirm. */
const DOUBLE_LIVE: Asked = { listId: DOUBLE, optIn: 'double', channels: ['email', 'sms'] };
const SINGLE_LIVE: Asked = { listId: SINGLE, optIn: 'single', channels: ['email', 'sms'] };
/** E-mail consent of the past, into a double opt-in list. */
const PAST: Asked = {
  listId: DOUBLE,
  historical: true,
  undated: 'list_only',
  channels: ['email'],
};

/** Plays runs to their ends; their reports in the order in which they were begun. */
type Answer = (switches: Partial<Switches>) => Promise<Report[]>;

/** An account that messy sources are played against, one answer to an open question at a time. */
export interface MessyAccount {
  /** Into the double opt-in list alone. */
  readonly answer: Answer;
  /** Into both kinds of list and as consent of the past, all at once. */
  readonly answerFully: Answer;
  /** Into the double opt-in list; with the same people, who are asked again, and then are not. */
  readonly answerTwice: Answer;
}

/** Registers its start and end with the suite; each run has to end as the account's truth says. */
export function messyAccount(): MessyAccount {
  let world: World;
  let sources = 0;
  let runs = 0;
  before(async () => {
    world = await startWorld({
      scopes: WITHOUT_SENDERS,
      clicks: { share: 0.5, delayMs: [50, 400] },
      filteredDomains: [DROPPED_DOMAIN],
    });
  });
  after(() => world.close());

  async function play(switches: Partial<Switches>, all: readonly Asked[]): Promise<Report[]> {
    world.turn({ ...DEFAULT_SWITCHES, ...switches });
    const reports = await Promise.all(
      all.map(async (asked) => {
        const source = messySource(sources++, asked.listId);
        for (const seed of source.seeds) world.sandbox.account.seed(seed);
        return run(asked, source);
      }),
    );
    // Clicks that would come during the next answer come now.
    world.sandbox.account.advance(60_000);
    return reports;
  }

  async function run(asked: Asked, source: MessySource): Promise<Report> {
    const { account } = world.sandbox;
    const customSource = `Run ${++runs}`;
    const before = [...account.truth()].filter(source.isAbout);
    const startedAt = new Date();
    const { parts, failure, report } = await world.migrate(source.lines, {
      ...COMMON,
      ...asked,
      customSource,
    });
    assert.equal(failure, null);
    assert.equal(report.rows, source.lines.length - 1);
    const differences = compareWithTruth({
      listId: asked.listId,
      customSource,
      startedAt,
      readBackWithinMs: 10_000,
      parts,
      before,
      after: [...account.truth()].filter(source.isAbout),
      carried: [...account.subscribed()].filter((line) => line.custom_source === customSource),
      messages: account.messages(),
      droppedDomains: [DROPPED_DOMAIN],
    });
    assert.deepEqual(differences, []);
    return report;
  }

  return {
    answer: (switches) => play(switches, [DOUBLE_LIVE]),
    answerFully: (switches) => play(switches, [DOUBLE_LIVE, SINGLE_LIVE, PAST]),
    answerTwice: async (switches) => {
      const first = await play(switches, [DOUBLE_LIVE]);
      const source = () => messySource(sources - 1, DOUBLE);
      const again = await run({ ...DOUBLE_LIVE, askAgainDays: 0 }, source());
      const left = await run(DOUBLE_LIVE, source());
      assert.ok(left.parts.some(({ reason }) => reason === 'asked_already'));
      return [...first, again, left];
    },
  };
}
