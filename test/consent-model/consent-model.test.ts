import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { format } from 'prettier';
import { people } from '../support/people.js';
import { startWorld, type World } from '../scenarios/world.js';
import { changes, OPERATIONS, seedOf, STATES } from './states.js';

const [BEGIN, END] = [
  '<!-- table: CONSENTRY_WRITE_CONSENT_MODEL=1 npm test writes it -->',
  '<!-- end of table -->',
];

/** The repository is the folder of package.json, from the sources as from the build. */
const PAGE = ['../../', '../../../']
  .map((up) => new URL(`${up}docs/consent-model.md`, import.meta.url))
  .find((url) => {
    try {
      return readFileSync(url).length > 0;
    } catch {
      return false;
    }
  });

/** Cells of the table: by operation and state. */
type Cells = Record<string, Record<string, string>>;

describe('what every operation changes in every state', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  /** Plays one operation for one person in each state. */
  async function play(operation: string): Promise<Record<string, string>> {
    const { columns, cells, request = {} } = OPERATIONS[operation]!;
    const states = Object.entries(STATES);
    const emails = people(states.length);
    const who = states.map(([name, state], n) => ({ name, state, email: emails[n]! }));
    const { account } = world.sandbox;
    for (const { email, state } of who) if (state !== null) account.seed(seedOf(email, state));
    const truth = (email: string) => account.truthFor({ email });
    const earlier = new Map(who.map(({ email }) => [email, truth(email)]));
    const { parts } = await world.migrate(
      [`email,${columns}`, ...emails.map((email) => `${email},${cells}`)],
      request,
    );
    return Object.fromEntries(
      who.map(({ name, email }) => {
        const ended = parts.filter((part) => part.email === email);
        const why = ended.map(({ outcome, reason }) => reason ?? outcome ?? 'open').join(', ');
        return [name, changes(earlier.get(email), truth(email)) ?? `nothing: \`${why}\``];
      }),
    );
  }

  test('is what docs/consent-model.md says', async () => {
    const cells: Cells = {};
    for (const operation of Object.keys(OPERATIONS)) cells[operation] = await play(operation);
    const table = await tableOf(cells);
    assert.ok(PAGE !== undefined, 'docs/consent-model.md is not found');
    const page = readFileSync(PAGE, 'utf8');
    const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
    assert.ok(from !== -1 && to > from, 'docs/consent-model.md has no place for the table');
    const written = `${page.slice(0, from)}${BEGIN}\n\n${table}\n${page.slice(to)}`;
    if (process.env['CONSENTRY_WRITE_CONSENT_MODEL'] === '1') writeFileSync(PAGE, written);
    else
      assert.equal(
        page,
        written,
        'with CONSENTRY_WRITE_CONSENT_MODEL=1 this test writes the table anew',
      );
  });
});

async function tableOf(cells: Cells): Promise<string> {
  const operations = Object.keys(OPERATIONS);
  const row = (texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  const lines = [
    row(['before', ...operations]),
    row(['', ...operations].map(() => '---')),
    ...Object.keys(STATES).map((state) =>
      row([state, ...operations.map((operation) => cells[operation]?.[state] ?? '')]),
    ),
  ];
  return format(lines.join('\n'), { parser: 'markdown', printWidth: 120 });
}
