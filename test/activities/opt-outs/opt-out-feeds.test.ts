import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel } from '../../../src/contracts/channels.js';
import { ListNames } from '../../../src/activities/opt-outs/list-names.js';
import { optOutFeeds, type OptOutSources } from '../../../src/activities/opt-outs/feeds.js';
import type {
  EmailMarketing,
  FeedEvent,
  ListInfo,
  ProfileConsent,
} from '../../../src/klaviyo/index.js';
import type { OptOut } from '../../../src/ledger/index.js';
import { TEST_TIMING } from '../../support/settings.js';
import { email, profile } from '../../support/profiles.js';

const SINCE = new Date('2026-03-04T05:00:00Z');
const NOW = new Date('2026-03-04T06:00:00Z');
const LIST = 'LIST01';
const LISTS = [
  { id: LIST, name: 'Newsletter', optInProcess: 'single_opt_in' },
  { id: 'LIST02', name: 'Another', optInProcess: 'single_opt_in' },
] satisfies ListInfo[];

/** An account that answers every feed with one page, and the last feeds with what is empty. */
function account(answers: {
  readonly events?: readonly Partial<FeedEvent>[];
  readonly suppressed?: readonly ProfileConsent[];
  readonly suppressedOnList?: readonly ProfileConsent[];
}): OptOutSources {
  const events = (answers.events ?? []).map((event, n): FeedEvent => ({
    id: `E${n}`,
    profileId: null,
    at: '2026-03-04T05:06:07+00:00',
    email: null,
    phoneNumber: null,
    metric: 'asked',
    listName: null,
    ...event,
  }));
  const page = (profiles: readonly ProfileConsent[] = []) =>
    Promise.resolve({ profiles, next: null });
  return {
    klaviyo: {
      now: () => ({ earliest: SINCE, latest: NOW }),
      listEvents: () => Promise.resolve({ events, next: null }),
      listSuppressed: () => page(answers.suppressed),
      listSuppressedOnList: () => page(answers.suppressedOnList),
    },
    metrics: { idsOf: () => Promise.resolve(['METRIC']) },
    lists: new ListNames({ listLists: () => Promise.resolve(LISTS) }),
    remember: () => Promise.resolve(),
    time: () => Promise.resolve(NOW.toISOString()),
  };
}

/** What a run's feed of that name shows. */
async function shown(
  feed: string,
  sources: OptOutSources,
  channels: readonly Channel[] = ['email', 'sms'],
): Promise<OptOut[]> {
  const run = { listId: LIST, channels };
  const found = optOutFeeds(sources, run, TEST_TIMING).find((one) => one.feed === feed);
  assert.ok(found, feed);
  const all: OptOut[] = [];
  for await (const page of found.read(SINCE, AbortSignal.timeout(10_000))) all.push(...page);
  return all;
}

const suppressed = (marketing: Partial<EmailMarketing>): ProfileConsent =>
  profile({
    email: 'Ann@example.com',
    emailMarketing: { ...email('SUBSCRIBED'), ...marketing },
  });

describe('what the feeds show of people who said no', () => {
  test('an event is the last thing of its second, for consent is dated more finely', async () => {
    const at = '2026-03-04T05:06:07.999Z';
    const people = [{ email: 'Ann@example.com', phoneNumber: '+12015550100' }];
    const everywhere = { listId: null, at, source: 'event' } as const;
    for (const feed of ['events:email', 'events:spam']) {
      assert.deepEqual(await shown(feed, account({ events: people })), [
        { channel: 'email', identifier: 'ann@example.com', ...everywhere },
      ]);
    }
    assert.deepEqual(await shown('events:sms', account({ events: people })), [
      { channel: 'sms', identifier: '+12015550100', ...everywhere },
    ]);
    const events = people.map((person) => ({ ...person, listName: 'Newsletter' }));
    const left = { channel: 'email', listId: LIST, at, source: 'event' } as const;
    assert.deepEqual(
      await shown(`events:list:${LIST}`, account({ events })),
      [
        { ...left, identifier: 'ann@example.com' },
        { ...left, identifier: '+12015550100' },
      ],
      'a text would put them back on it as well',
    );
  });

  test('an event of another list, or of nobody who can be told, says nothing', async () => {
    const events = [{ email: 'ann@example.com', listName: 'Another' }, { listName: 'Newsletter' }];
    assert.deepEqual(await shown(`events:list:${LIST}`, account({ events })), []);
    assert.deepEqual(await shown('events:email', account({ events: [{}] })), []);
  });

  for (const listName of ['Its name of before', null]) {
    test(`an event of a list that is called ${listName ?? 'nothing'} now may be of this one`, async () => {
      const events = [{ email: 'ann@example.com', listName }];
      const optOuts = await shown(`events:list:${LIST}`, account({ events }));
      assert.deepEqual(
        optOuts.map(({ identifier, listId }) => ({ identifier, listId })),
        [{ identifier: 'ann@example.com', listId: LIST }],
      );
    });
  }

  for (const [what, told] of [
    ['left out', { suppressions: [] }],
    ['not dated', { suppressions: [{ reason: 'UNSUBSCRIBE', timestamp: null }] }],
  ] as const) {
    test(`a suppression that is ${what} is as of now`, async () => {
      const sources = account({ suppressed: [suppressed(told)] });
      for (const feed of ['suppressions', 'suppressions_by_hand']) {
        assert.deepEqual(await shown(feed, sources), [
          {
            channel: 'email',
            identifier: 'ann@example.com',
            listId: null,
            at: NOW.toISOString(),
            source: 'suppression',
          },
        ]);
      }
    });
  }

  test('one of a list that is left out is as of now too, and of that list alone', async () => {
    const sources = account({ suppressedOnList: [suppressed({ listSuppressions: [] })] });
    const [optOut, ...others] = await shown(`list:${LIST}`, sources);
    assert.deepEqual(others, []);
    assert.equal(optOut?.listId, LIST);
    assert.equal(optOut.at, NOW.toISOString());
  });

  test('an event that does not say what happened is a no where one was asked for', async () => {
    const events = (['unresolved', 'another', 'asked'] as const).map((metric) => ({
      email: `${metric}@example.com`,
      phoneNumber: '+12015550100',
      listName: 'Newsletter',
      metric,
    }));
    for (const feed of ['events:email', 'events:spam']) {
      const found = await shown(feed, account({ events }));
      assert.deepEqual(
        found.map(({ identifier }) => identifier),
        ['unresolved@example.com', 'asked@example.com'],
        feed,
      );
    }
    assert.equal((await shown('events:sms', account({ events }))).length, 2);
    assert.equal((await shown(`events:list:${LIST}`, account({ events }))).length, 4);
  });

  test('who left the list is read for a run of texts too', async () => {
    const events = [{ email: 'ann@example.com', listName: 'Newsletter' }];
    assert.equal((await shown(`events:list:${LIST}`, account({ events }), ['sms'])).length, 1);
  });
});
