import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { firstLookMs, sourcesOf } from '../../src/consent/proof-sources.js';

describe('what a run is proved by', () => {
  const run = {
    listId: 'LIST',
    historicalImport: false,
    consent: 'explicit',
    unsubscribeFrom: 'everything',
  } as const;

  for (const [says, settings, fromEvents, listMembers, when] of [
    ['a live run by events, and late look-ups', run, true, false, 'late'],
    ['a live run without the events scope by its list', run, false, true, 'late'],
    ['one without a list and events by look-ups', { ...run, listId: null }, false, false, 'soon'],
    ['a historical run by its list alone', { ...run, historicalImport: true }, true, true, 'never'],
    [
      'a historical run without a list by patient look-ups',
      { ...run, historicalImport: true, listId: null },
      true,
      false,
      'patient',
    ],
  ] as const) {
    test(says, () => {
      const sources = sourcesOf(settings, fromEvents, true);
      assert.equal(sources.listMembers, listMembers);
      assert.equal(sources.lookUps.get('subscribe'), when);
    });
  }

  test('memberships by the list where the run is about nothing else, else one by one', () => {
    assert.equal(sourcesOf({ ...run, consent: 'implicit' }, true, true).listMembers, true);
    assert.equal(sourcesOf(run, true, true).lookUps.get('add_to_list'), 'soon');
  });

  for (const [says, settings, fromEvents, operation, when] of [
    ['a live run without events', run, false, 'subscribe', 'soon'],
    ['a live run with events', run, true, 'subscribe', 'late'],
    ['a historical run', { ...run, historicalImport: true }, true, 'subscribe', 'patient'],
    ['an implicit run', { ...run, consent: 'implicit' }, true, 'add_to_list', 'soon'],
  ] as const) {
    test(`${says} whose list can’t be read is proved by look-ups`, () => {
      const { listMembers, lookUps } = sourcesOf(settings, fromEvents, false);
      assert.equal(listMembers, false);
      assert.equal(lookUps.get(operation), when);
    });
  }

  test('unsubscribes by events, but not those from the list alone, which no event shows', () => {
    const lookUpOf = (unsubscribeFrom: 'everything' | 'list') =>
      sourcesOf({ ...run, unsubscribeFrom }, true, true).lookUps.get('unsubscribe');
    assert.deepEqual([lookUpOf('everything'), lookUpOf('list')], ['late', 'soon']);
  });

  test('suppressions, which are no events, always by look-ups', () => {
    assert.equal(sourcesOf(run, true, true).lookUps.get('suppress'), 'soon');
  });
});

test('rows are looked up as late as Klaviyo is expected to show them', () => {
  const timing = { readEveryMs: 5_000, eventsSilentMs: 120_000 };
  const pauses = (['soon', 'late', 'patient', 'never'] as const).map((when) =>
    firstLookMs(when, timing),
  );
  assert.deepEqual(pauses, [5_000, 120_000, 600_000, 600_000]);
});
