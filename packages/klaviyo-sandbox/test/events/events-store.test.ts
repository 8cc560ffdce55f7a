import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventId, eventNumber, eventUuid } from '../../src/store/events/event-id.js';
import { EventStore, METRICS, type MetricName } from '../../src/store/events/event-store.js';
import { TimeIndex } from '../../src/store/events/time-index.js';

const ALL = { from: -Infinity, to: Infinity, descending: false, after: null };
const NOON = Date.UTC(2026, 0, 1, 12);

test('a time index inserts late entries at their position, between reads and after them', () => {
  const times = new Map<number, number>();
  const index = new TimeIndex((member) => times.get(member));
  const add = (member: number, time: number) => {
    times.set(member, time);
    index.add(time, member, false);
  };
  for (let member = 0; member < 20_000; member++) add(member, 1_000_000 + member);
  const check = () => {
    const expected = [...times].sort(([a, at], [b, bt]) => at - bt || a - b).map(([it]) => it);
    assert.deepEqual([...index.ascending(-Infinity, Infinity, null)], expected);
    assert.deepEqual([...index.descending(-Infinity, Infinity, null)], expected.toReversed());
  };
  for (let round = 0; round < 5; round++) {
    // Spread over the whole range, twice in the far past, and on time again.
    for (let i = 0; i < 500; i++) add(30_000 + round * 1_000 + i, (i * 7_919) % 1_020_000);
    for (let i = 500; i < 600; i++) add(30_000 + round * 1_000 + i, 2_000_000 + round * 100 + i);
    check();
  }
});

test('events are walked like a sorted list, whatever is merged and deleted', () => {
  const event = fc.record({
    kind: fc.constant('event' as const),
    metric: fc.constantFrom(...METRICS),
    profile: fc.nat(4),
    seconds: fc.nat(20),
  });
  const change = fc.oneof(
    { weight: 12, arbitrary: event },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), from: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), who: fc.nat(4) }) },
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.nat(20), fc.nat(20), (changes, a, b) => {
      const store = new EventStore();
      const model: { event: number; metric: MetricName; profile: number; seconds: number }[] = [];
      const gone = new Set<number>();
      for (const it of changes) {
        if (it.kind === 'event') {
          if (gone.has(it.profile)) continue;
          const time = it.seconds * 1_000 + 999;
          const number = store.add({ metric: it.metric, profile: it.profile, time, listId: null });
          model.push({ ...it, event: number! });
        } else if (it.kind === 'move') {
          const into = 4 - it.from;
          if (gone.has(it.from) || gone.has(into) || into === it.from) continue;
          store.moved(it.from, into);
          gone.add(it.from);
          for (const one of model) if (one.profile === it.from) one.profile = into;
        } else if (!gone.has(it.who)) {
          store.forget(it.who);
          gone.add(it.who);
          model.splice(0, Infinity, ...model.filter(({ profile }) => profile !== it.who));
        }
      }
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const ordered = model
        .filter(({ seconds }) => seconds >= from && seconds <= to)
        .sort((x, y) => x.seconds - y.seconds || x.event - y.event);
      const numbers = (of: typeof model) => of.map((one) => one.event);
      const range = { ...ALL, from, to };
      assert.equal(store.size, model.length);
      assert.deepEqual([...store.walk(range)], numbers(ordered));
      const down = { ...range, descending: true };
      assert.deepEqual([...store.walk(down)], numbers(ordered).reverse());
      const metrics = METRICS.slice(1, 4);
      const some = ordered.filter(({ metric }) => metrics.includes(metric));
      assert.deepEqual([...store.walk({ ...range, metrics })], numbers(some));
      const theirs = ordered.filter(({ profile }) => profile === 2);
      assert.deepEqual([...store.walk({ ...down, profile: 2 })], numbers(theirs).reverse());
      ordered.forEach(({ seconds: time, event: member, profile }, i) => {
        const after = { time, member };
        assert.deepEqual([...store.walk({ ...range, after })], numbers(ordered.slice(i + 1)));
        const own = ordered.slice(i + 1).filter((one) => one.profile === profile);
        assert.deepEqual([...store.walk({ ...range, profile, after })], numbers(own));
      });
    }),
  );
});

test('a late event goes to the profile that its person was merged into, or nowhere', () => {
  const store = new EventStore();
  const metric = 'Subscribed to List';
  store.moved(1, 2);
  store.moved(2, 3);
  const late = store.add({ metric, profile: 1, time: NOON, listId: 'Single' });
  assert.deepEqual(store.get(late!), { metric, profile: 3, time: NOON, listId: 'Single' });
  store.forget(3);
  assert.equal(store.has(late!), false);
  assert.equal(store.add({ metric, profile: 2, time: NOON, listId: null }), undefined);
  assert.equal(store.size, 0);
});

test('event ids are short, distinct and map back; UUIDs contain the second', () => {
  const ids = Array.from({ length: 5_000 }, (_, event) => eventId(3, event));
  assert.equal(new Set(ids).size, ids.length);
  ids.forEach((id, event) => {
    assert.match(id, /^[2-9A-HJ-NP-Za-km-z]{11}$/);
    assert.equal(eventNumber(3, id), event);
  });
  assert.equal(eventNumber(3, eventId(3, 4_000_000_000)), 4_000_000_000);
  assert.equal(eventNumber(4, ids[7]!), undefined, 'of another sandbox');
  assert.equal(eventNumber(3, 'NOPE01'), undefined);
  const uuid = eventUuid(3, 7, 1_788_529_135);
  // The time of a recorded event of that second.
  assert.match(uuid, /^f9204180-a865-11f1-8001-[0-9a-f]{12}$/);
  assert.notEqual(uuid, eventUuid(3, 8, 1_788_529_135));
});
