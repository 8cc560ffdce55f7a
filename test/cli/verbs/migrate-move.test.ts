import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startVerbStack, type VerbStack } from '../../support/processes/verb-stack.js';
import { run } from '../terminal.js';

const FLAGS = ['--list', 'Single', '--move-from', 'Double'];

describe('migrate --move-from', { timeout: 180_000 }, () => {
  let stack: VerbStack;
  let file: string;
  before(async () => {
    stack = await startVerbStack();
    const names = ['ada', 'bob'];
    await stack.sandbox.seed(
      names.map((name) => ({
        email: `${name}@move.test`,
        email_consent: 'SUBSCRIBED',
        lists: ['Double'],
      })),
    );
    // A bare column of addresses is enough.
    file = await stack.source('move.csv', ['email', ...names.map((name) => `${name}@move.test`)]);
  });
  after(() => stack.stop());

  it('says both counts beforehand, moves, and is not undone by a file', async () => {
    const dry = await run('migrate', file, ...FLAGS, '--dry-run');
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^ *old_list +remove from the list +2 +confirmed$/m);
    assert.match(dry.stdout, /^ *list +added to the list only +2 +list_only$/m);
    const moved = await run('migrate', file, ...FLAGS, '--json');
    assert.equal(moved.code, 0, moved.stderr);
    const { id } = JSON.parse(moved.stdout) as { id: string };
    const lists = (await stack.sandbox.truth()).map((person) => person.lists.map(({ id }) => id));
    assert.deepEqual(lists, [['Single'], ['Single']]);
    const undo = await run('report', id, '--undo', `${file}.undo.csv`);
    assert.equal(undo.code, 2);
    assert.match(
      undo.stderr,
      /moved people from list Double to list Single: .* consentry migrate FILE --list Double --move-from Single/,
    );
  });
});
