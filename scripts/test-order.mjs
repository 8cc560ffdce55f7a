import { builtTest, fastOnly } from './fast-tests.mjs';

/** Tests that take half a minute and more, nearly all of it waiting, the longest first. */
const LONGEST = [
  'workflows/meanwhile/said-no-meanwhile',
  'starter/programs/segments-safety',
  'scenarios/open-questions/every-answer',
  'scenarios/open-questions/hidden-consent',
  'scenarios/operations/switching-off',
  'workflows/runs/migration',
  'syncs/recovery',
  'segments/campaign',
  'starter/programs/activations',
  'starter/programs/segments',
  'cli/verbs/one-person',
  'scenarios/other-tools/calls-and-waits',
  'scenarios/effects/live-consent',
  'scenarios/wishes/opt-in',
  'packages/pack',
  'workflows/steering/stopped-half-way',
  'cli/verbs/program',
  'cli/verbs/segment',
  'scenarios/wishes/refused-calls-and-reads',
  'cli/verbs/verbs',
  'end-to-end',
  'scenarios/wishes/opt-outs',
  'scenarios/wishes/ask-again',
  'cli/verbs/plan',
  'cli/accounts',
].map(builtTest);

/**
 * The order in which test files keep a machine busy from the start to the end. The longest come
 * first, so that none of them is left over. Fast tests, which compute all the time, come between
 * those that wait for servers; half of them come last, beside whatever takes a little longer.
 *
 * @param found all test files
 * @param wanted those to put in order
 */
export async function ordered(found, wanted) {
  for (const path of LONGEST) {
    if (!found.includes(path))
      throw new Error(`${path} does not exist any more: correct scripts/test-order.mjs`);
  }
  const fast = await fastOnly(wanted);
  const longest = LONGEST.filter((path) => wanted.includes(path));
  const others = wanted.filter((path) => !fast.includes(path) && !longest.includes(path));
  const half = Math.floor(fast.length / 2);
  return [...longest, ...mixed(others, fast.slice(0, half)), ...fast.slice(half)];
}

/** Both lists in one, each in its order and spread over its whole length. */
function mixed(some, others) {
  const placed = [some, others].flatMap((list) =>
    list.map((path, index) => ({ path, place: (index + 0.5) / list.length })),
  );
  return placed.sort((a, b) => a.place - b.place).map(({ path }) => path);
}
