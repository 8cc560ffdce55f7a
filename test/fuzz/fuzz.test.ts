import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runFuzz } from './run.js';

/** A few of the inputs that `npm run fuzz` makes by the ten thousand. */
describe('inputs of any kind', { timeout: 120_000 }, () => {
  it('a source is refused as a whole or subscribes who says so', async () => {
    const { counts } = await runFuzz('sources', 400, 1);
    assert.ok((counts.get('read') ?? 0) > 40, JSON.stringify([...counts]));
  });

  it('a mapping is refused or subscribes whom it names', async () => {
    const { counts } = await runFuzz('mappings', 400, 1);
    assert.ok((counts.get('read') ?? 0) > 20, JSON.stringify([...counts]));
  });

  it('an answer of Klaviyo’s is refused or subscribes nobody who said no', async () => {
    const { counts } = await runFuzz('answers', 400, 1);
    assert.ok((counts.get('partly unknown') ?? 0) > 40, JSON.stringify([...counts]));
  });
});
