import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { renderChanges } from '../../../src/cli/render/program-changes.js';
import { EXIT } from '../../../src/cli/exit-codes.js';
import type { FoundChange } from '../../../src/starter/programs/apply/applying.js';
import type { Programs } from '../../../src/starter/programs/load.js';
import { startHarness, type Harness } from '../../support/harness.js';
import { peopleOf, Segment } from './segment.js';

const SETTINGS = 'key: member_id, leave: { do: unsubscribe, after: 1 run }';

describe('a segment whose program is taken out of the file', { timeout: 300_000 }, () => {
  let harness: Harness;
  let people: ReturnType<typeof peopleOf>;
  let tests = 0;
  before(async () => {
    harness = await startHarness();
    people = peopleOf(harness);
  });
  beforeEach(() => void tests++);
  after(() => harness.close());

  const known = (...names: readonly string[]): string[] => {
    const emails = names.map((name) => `${name}-${tests}@ended.test`);
    people.known(...emails);
    return emails;
  };

  /** Two segments with one list: the first one gave everybody their consent. */
  const both = async (...emails: readonly string[]): Promise<[Segment, Segment]> => {
    const [first, second] = [new Segment(harness, SETTINGS), new Segment(harness, SETTINGS)];
    const rows = emails.map((email, n) => `${n},${email},`);
    await first.has(...rows);
    await first.run();
    await second.has(...rows);
    await second.run();
    return [first, second];
  };

  const changeOf = async (loaded: Programs, { name }: Segment): Promise<FoundChange> => {
    const changes = await harness.consentry.applying.changes(loaded);
    const change = changes.find(({ program }) => program === name);
    assert.ok(change !== undefined);
    return change;
  };

  it('keeps nobody any more, until it is back', async () => {
    const [ada = '', bob = '', eve = '', dan = ''] = known('ada', 'bob', 'eve', 'dan');
    const [first, second] = await both(ada, bob, eve, dan);
    const without = await first.load();
    const removed = await changeOf(without, second);
    assert.deepEqual([removed.change, removed.endsSegment], ['removed', 4]);
    await first.has(`0,${ada},`, `1,${bob},`, `2,${eve},`);
    await first.run();
    assert.equal(people.consentOf(dan), 'SUBSCRIBED', 'a plan alone ends nothing');
    await harness.consentry.applying.note(removed);
    await first.has(`0,${ada},`, `1,${bob},`);
    await first.run();
    assert.deepEqual([people.consentOf(eve), people.isOnList(eve)], ['UNSUBSCRIBED', false]);
    await second.run();
    await first.has(`0,${ada},`);
    await first.run();
    assert.deepEqual([people.consentOf(bob), people.isOnList(bob)], ['SUBSCRIBED', true]);
  });

  it('is the same when it is switched off, and says so in the plan', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const [first, second] = await both(ada, bob);
    const off = await second.load(`enabled: false, ${SETTINGS}`);
    const found = await changeOf(off, second);
    assert.deepEqual([found.change, found.endsSegment], ['switched_off', 2]);
    const nothing = { createsList: null, toSend: [], doubleOptInMessages: 0, askedAlready: 0 };
    const planned = { consent: null, migration: null, segment: null, off: null, failure: null };
    assert.match(
      renderChanges([{ found, ...nothing, ...planned, exitCode: EXIT.ok }]),
      /its segment of 2 people ends\. Nobody leaves because of it/,
    );
    await harness.consentry.applying.note(found);
    await first.has(`0,${ada},`);
    await first.run();
    assert.deepEqual([people.consentOf(bob), people.isOnList(bob)], ['UNSUBSCRIBED', false]);
  });

  it('counts while its program is in the file, also without a Schedule', async () => {
    const [ada = '', bob = ''] = known('ada', 'bob');
    const [first, second] = await both(ada, bob);
    const { activations } = harness.consentry;
    const apply = async (settings: string): Promise<void> => {
      const loaded = await second.load(settings);
      for (const change of await activations.changes(loaded)) {
        await activations.apply(loaded, change);
      }
    };
    await apply(`${SETTINGS}, schedule: { every: 1h }`);
    await apply(SETTINGS);
    await first.has(`0,${ada},`);
    await first.run();
    assert.ok(people.isOnList(bob), 'it is run by hand');
    await apply(`${SETTINGS}, schedule: { every: 1h }`);
    await apply(`enabled: false, ${SETTINGS}, schedule: { every: 1h }`);
    await first.has(`0,${ada},`, `1,${bob},`);
    await first.run();
    await first.has(`0,${ada},`);
    await first.run();
    assert.ok(!people.isOnList(bob), 'nor is it by itself');
  });
});
