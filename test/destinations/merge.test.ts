import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { maySendColumn, STATED_COLUMNS } from '../../src/consent/record/columns.js';
import { isSameRow, rowAfter } from '../../src/consent/record/record.js';
import type { Batch, OnDeleted, StoredRow } from '../../src/destinations/destination.js';
import { isPresent, mergeBatch, type Baseline } from '../../src/destinations/sql/merge.js';
import { batchOf, subscriber, UNSUBSCRIBED } from './records.js';

/** Rows as a database would keep them. */
class Rows {
  readonly stored = new Map<string, StoredRow>();
  goneAt: string | null = null;
  #marks = 0;

  constructor(readonly onDeleted: OnDeleted) {}

  write(batch: Batch): readonly string[] {
    const baseline: Baseline = { sweptAt: null, goneAt: this.goneAt, onDeleted: this.onDeleted };
    const merged = mergeBatch(batch, this.stored, baseline, () => `deleted-${this.#marks++}`);
    for (const id of merged.erased) this.stored.delete(id);
    for (const row of merged.inserted) {
      assert.ok(!this.stored.has(row.profileId), 'a new row has a new key');
      this.stored.set(row.profileId, row);
    }
    for (const row of merged.updated) this.stored.set(row.profileId, row);
    for (const [lastReadAt, ids] of merged.confirmed) {
      for (const id of ids)
        this.stored.set(id, { ...(this.stored.get(id) as StoredRow), lastReadAt });
    }
    if (merged.goneAt !== null && (this.goneAt ?? '') < merged.goneAt) this.goneAt = merged.goneAt;
    return merged.written.readAgain;
  }
}

/** What Klaviyo says of a profile at a minute: all of it, or that it is gone. */
type Said = 'subscribed' | 'unsubscribed' | 'deleted' | 'merged';

const EVERYTHING = Object.fromEntries(STATED_COLUMNS.map(({ name }) => [name, null]));
const IDS = ['01A', '01B', '01C'] as const;

function batchAt(profileId: string, said: Said, minute: number): Batch {
  const readAt = `2026-11-27T10:${String(minute).padStart(2, '0')}:00.000000Z`;
  if (said === 'deleted') return batchOf([], { gone: [{ profileId, mergedInto: null }], readAt });
  if (said === 'merged') return batchOf([], { gone: [{ profileId, mergedInto: '01Z' }], readAt });
  const { stated } = subscriber(profileId, said === 'subscribed' ? {} : UNSUBSCRIBED);
  return batchOf([{ profileId, stated: { ...EVERYTHING, ...stated } }], { readAt });
}

const truths = fc.record(
  Object.fromEntries(
    IDS.map((id) => [
      id,
      fc.array(fc.constantFrom<Said>('subscribed', 'unsubscribed', 'deleted', 'merged'), {
        minLength: 1,
        maxLength: 6,
      }),
    ]),
  ),
);

describe('readings that are written in any order', () => {
  for (const onDeleted of ['keep', 'erase'] as const) {
    it(`end as the newest of each profile says: ${onDeleted}`, () => {
      fc.assert(
        fc.property(truths, fc.infiniteStream(fc.nat()), (saidOf, order) => {
          // Each reading has a time of its own.
          const readings = IDS.flatMap((id, i) =>
            (saidOf[id] ?? []).map((said, k) => ({ id, said, minute: k * IDS.length + i })),
          );
          const rows = new Rows(onDeleted);
          const late = readings
            .map((reading) => ({ reading, at: order.next().value as number }))
            .sort((one, other) => one.at - other.at);
          for (const { reading } of late) {
            const again = rows.write(batchAt(reading.id, reading.said, reading.minute));
            // What is to be read again is read later than anything so far.
            for (const id of again) rows.write(batchAt(id, saidOf[id]?.at(-1) ?? 'deleted', 59));
          }
          for (const id of IDS) check(rows, id, saidOf[id]?.at(-1) ?? 'deleted');
        }),
        { numRuns: 2_000 },
      );
    });
  }

  function check(rows: Rows, id: string, said: Said): void {
    const row = rows.stored.get(id);
    const isThere = row !== undefined && isPresent(row);
    const isSaid = said === 'subscribed' || said === 'unsubscribed';
    // A reading that is gone and was never there leaves no row, so it can be read again as it is.
    assert.equal(isThere, isSaid, `${id} is ${said}`);
    if (!isThere) {
      if (row !== undefined) assert.equal(row.row[maySendColumn('email_marketing')], false);
      return;
    }
    const record = batchAt(id, said, 0).records[0];
    assert.ok(record !== undefined && isSameRow(row.row, rowAfter(null, record)), id);
  }

  it('are refused if one batch has a profile twice', () => {
    const gone = [{ profileId: '01A', mergedInto: null }];
    assert.throws(() => new Rows('keep').write(batchOf([subscriber('01A')], { gone })), /twice/);
  });
});
