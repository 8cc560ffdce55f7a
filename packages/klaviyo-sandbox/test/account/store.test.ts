import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Clock } from '../../src/time/clock.js';
import { Scheduler } from '../../src/time/scheduler.js';
import { profileId, profileIndex } from '../../src/store/profile-id.js';
import { ProfileStore } from '../../src/store/profiles.js';
import { TimeIndex } from '../../src/store/events/time-index.js';

test('a time index reads like a sorted list, however the times change', () => {
  const moves = fc.array(fc.tuple(fc.nat(20), fc.nat(30)), { maxLength: 200 });
  fc.assert(
    fc.property(moves, fc.nat(30), fc.nat(30), (changes, low, high) => {
      const times = new Map<number, number>();
      const index = new TimeIndex((member) => times.get(member));
      for (const [member, time] of changes) {
        if (times.get(member) === time) continue;
        const moved = times.has(member);
        times.set(member, time);
        index.add(time, member, moved);
      }
      const expected = [...times]
        .filter(([, time]) => time >= low && time <= high)
        .sort(([a, at], [b, bt]) => at - bt || a - b)
        .map(([member]) => member);
      assert.deepEqual([...index.ascending(low, high, null)], expected);
      assert.deepEqual([...index.descending(low, high, null)], expected.toReversed());
      assert.ok(index.count(low, high) >= expected.length);
      expected.forEach((member, i) => {
        const place = { time: times.get(member)!, member };
        assert.deepEqual([...index.ascending(low, high, place)], expected.slice(i + 1));
        assert.deepEqual(
          [...index.descending(low, high, place)],
          expected.slice(0, i).toReversed(),
        );
      });
    }),
  );
});

test('a time index accepts times far back, and drops stale entries', () => {
  const times = new Map<number, number>();
  const index = new TimeIndex((member) => times.get(member));
  for (let i = 0; i < 20_000; i++) {
    const member = i % 5_000;
    const moved = times.has(member);
    const time = i === 19_999 ? -1 : i;
    times.set(member, time);
    index.add(time, member, moved);
  }
  assert.equal([...index.ascending(-Infinity, Infinity, null)].length, 5_000);
  assert.equal([...index.ascending(-Infinity, Infinity, null)][0], 4_999);
  assert.ok(index.count(-Infinity, Infinity) < 11_000, 'stale entries were dropped');
});

test('ids look like ULIDs, sort by creation and map back', () => {
  const ids = Array.from({ length: 2_000 }, (_, i) => profileId(3, i));
  assert.match(ids[0]!, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids.map((id) => id.slice(10))).size, 2_000);
  ids.forEach((id, i) => assert.equal(profileIndex(3, id), i));
  assert.equal(profileIndex(4, ids[5]!), undefined, 'of another sandbox');
  assert.equal(profileIndex(3, 'XYZABD'), undefined);
});

test('a removed profile is no longer found by anything', () => {
  const store = new ProfileStore(1);
  const index = store.create('ada@shop.test', '+12015550123', 5);
  const id = store.id(index);
  store.create('bea@shop.test', null, 6);
  store.remove(index);
  assert.equal(store.size, 1);
  assert.equal(store.withId(id), undefined);
  assert.equal(store.withEmail('ada@shop.test'), undefined);
  assert.equal(store.withPhone('+12015550123'), undefined);
  assert.deepEqual([...store.byEmail.walk(false, null)], [1]);
  assert.deepEqual([...store.byUpdated.ascending(0, 9, null)], [1]);
});

test('the order of e-mails follows additions and changes', () => {
  const store = new ProfileStore(1);
  const words = ['m', 'c', 'x', 'a', 'q'];
  for (const word of words) store.create(`${word}@shop.test`, null, 1);
  const order = () => [...store.byEmail.walk(false, null)].map((i) => store.email(i)?.[0]).join('');
  assert.equal(order(), 'acmqx');
  store.create('b@shop.test', null, 1);
  store.create(null, '+12015550123', 1);
  assert.equal(order(), 'abcmqx');
  store.setEmail(6, 'n@shop.test');
  assert.equal(order(), 'abcmnqx');
  store.setEmail(0, 'z@shop.test');
  store.setEmail(1, 'y@shop.test');
  store.remove(3);
  store.remove(store.create('g@shop.test', null, 1));
  store.create('d@shop.test', null, 1);
  assert.equal(order(), 'bdnqxyz');
  const back = [...store.byEmail.walk(true, null)].map((i) => store.email(i)?.[0]);
  assert.equal(back.join(''), 'zyxqndb');
});

test('due effects run in the order of their times, with one heap for all', () => {
  const clock = new Clock(1);
  const scheduler = new Scheduler(clock);
  const seen: string[] = [];
  const start = clock.now();
  scheduler.at(start + 3_500, () => seen.push('one'));
  scheduler.each(Float64Array.of(start + 4_000, start + 2_000, start + 3_000), (i) => {
    seen.push(`row ${i}`);
  });
  scheduler.at(start + 99_000, () => seen.push('late'));
  clock.advance(3_000);
  scheduler.runDue();
  assert.deepEqual(seen, ['row 1', 'row 2']);
  clock.advance(10_000);
  scheduler.runDue();
  assert.deepEqual(seen, ['row 1', 'row 2', 'one', 'row 0']);
  scheduler.close();
});
