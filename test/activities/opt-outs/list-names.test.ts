import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { ListNames } from '../../../src/activities/opt-outs/list-names.js';
import type { ListInfo } from '../../../src/klaviyo/index.js';

const signal = new AbortController().signal;

/** Lists of an account, and how often they were read. */
function account(names: Record<string, string>) {
  const lists = { names, reads: 0 };
  const listLists = () => {
    lists.reads += 1;
    return Promise.resolve(
      Object.entries(lists.names).map(([id, name]): ListInfo => ({
        id,
        name,
        optInProcess: 'single_opt_in',
      })),
    );
  };
  return { lists, known: new ListNames({ listLists }) };
}

describe('which list an event’s name is of', () => {
  test('a list that was renamed is known by its new name, and by the one of before', async () => {
    const { lists, known } = account({ ONE: 'News', TWO: 'Shop' });
    assert.equal(await known.mayBe('ONE', 'News', signal), true);
    assert.equal(await known.mayBe('ONE', 'Shop', signal), false);
    lists.names = { ONE: 'Letters', TWO: 'Shop' };
    const now = performance.now();
    const clock = mock.method(performance, 'now', () => now + 60_000);
    try {
      assert.equal(await known.mayBe('ONE', 'Letters', signal), true);
      assert.equal(await known.mayBe('ONE', 'News', signal), true, 'the event is of before');
      assert.equal(await known.mayBe('TWO', 'Letters', signal), false);
    } finally {
      clock.mock.restore();
    }
  });

  test('names that are known cost no calls, and those of no list one a minute', async () => {
    const { lists, known } = account({ ONE: 'News', TWO: 'Shop' });
    for (const name of ['News', 'Shop', 'Deleted', 'News', 'Deleted']) {
      await known.mayBe('ONE', name, signal);
    }
    assert.equal(lists.reads, 1);
  });
});
