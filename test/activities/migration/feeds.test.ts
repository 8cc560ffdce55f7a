import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readFeed, type Feed } from '../../../src/activities/migration/proofs/feeds.js';
import { KlaviyoRefusedError } from '../../../src/klaviyo/index.js';
import type { FeedPlace } from '../../../src/ledger/index.js';

const START = Date.parse('2026-03-04T05:06:07Z');
const PAGE_SIZE = 3;
/** Pages that are read in one go. */
const PAGES_AT_ONCE = 20;

interface Item {
  readonly n: number;
  readonly at: string;
}

/** When a reader is ended: in the so-and-so-many-th call of one of these. */
type End = { readonly in: 'read' | 'settle' | 'save'; readonly call: number };

/** Something that is read in order of time, by a reader that can be ended at any moment. */
class Source {
  readonly items: Item[];
  readonly settled = new Set<number>();
  /** First items of the pages that were read. */
  readonly pages: (number | null)[] = [];
  place: FeedPlace;
  /** Cursors of longer ago are not known any more. */
  forgetsCursors = false;
  #calls = { read: 0, settle: 0, save: 0 };
  #end: End | null = null;

  /** @param gaps ms from each item to the next */
  constructor(gaps: readonly number[]) {
    let at = START;
    this.items = gaps.map((gap, n) => ({ n, at: new Date((at += gap)).toISOString() }));
    const since = new Date(START).toISOString();
    this.place = { since, newest: since, cursor: null };
  }

  /** One go of a reader. @returns whether it was ended */
  async go(end: End | null): Promise<boolean> {
    this.#calls = { read: 0, settle: 0, save: 0 };
    this.#end = end;
    try {
      await readFeed(this.place, this.#feed);
      return false;
    } catch (error) {
      if (error instanceof Error && error.message === 'ended') return true;
      throw error;
    }
  }

  readonly #feed: Feed<Item> = {
    read: (since, cursor) => {
      this.#count('read');
      if (cursor !== null && this.forgetsCursors) {
        this.forgetsCursors = false;
        throw new KlaviyoRefusedError({ endpoint: 'get_events', status: 400, errors: [] });
      }
      const after = this.items.filter(({ n, at }) =>
        cursor === null ? at >= since : n > Number(cursor),
      );
      const items = after.slice(0, PAGE_SIZE);
      this.pages.push(items[0]?.n ?? null);
      const next = after.length > PAGE_SIZE ? String(items.at(-1)?.n) : null;
      return Promise.resolve({ items, next });
    },
    timeOf: ({ at }) => at,
    settle: (items) => {
      this.#count('settle');
      for (const { n } of items) this.settled.add(n);
      return Promise.resolve();
    },
    save: (place) => {
      this.#count('save');
      this.place = place;
      return Promise.resolve();
    },
  };

  #count(what: End['in']): void {
    this.#calls[what] += 1;
    if (this.#end?.in === what && this.#end.call === this.#calls[what]) throw new Error('ended');
  }
}

const gaps = fc.array(fc.constantFrom(0, 0, 1, 500, 2_500, 60_000), {
  minLength: 1,
  maxLength: 400,
});
const ends = fc.array(
  fc.record<End>({
    in: fc.constantFrom('read', 'settle', 'save'),
    call: fc.integer({ min: 1, max: PAGES_AT_ONCE }),
  }),
  { maxLength: 30 },
);

describe('a feed that is read on page by page', () => {
  test('shows everything, and no more than two pages again, whatever ends its readers', async () => {
    await fc.assert(
      fc.asyncProperty(gaps, ends, async (gaps, ends) => {
        const source = new Source(gaps);
        for (const end of ends) {
          await source.go(end);
          if (source.settled.size === gaps.length) break;
        }
        const cut = source.pages.length - new Set(source.pages).size;
        // The one that was being settled, and the next, which is read meanwhile.
        assert.ok(cut <= ends.length * 2, `${cut} pages were read again after ${ends.length} ends`);
        const left = Math.ceil((gaps.length - source.settled.size) / (PAGE_SIZE * PAGES_AT_ONCE));
        for (let goes = 0; goes <= left; goes += 1) await source.go(null);
        assert.equal(source.settled.size, gaps.length);
      }),
      { numRuns: 300 },
    );
  });

  test('is read to its end by readers of whom each gets no further than a few pages', async () => {
    const source = new Source(Array.from({ length: 3_000 }, () => 1_000));
    let goes = 0;
    while (await source.go({ in: 'read', call: 6 })) {
      goes += 1;
      assert.ok(goes <= 200, 'they get on by five pages each');
    }
    assert.equal(source.settled.size, 3_000);
  });

  test('is read on from its newest where Klaviyo has forgotten the page', async () => {
    const source = new Source(Array.from({ length: 30 }, () => 1_000));
    await source.go({ in: 'read', call: 5 });
    source.forgetsCursors = true;
    const before = source.pages.length;
    assert.equal(await source.go(null), false);
    assert.equal(source.settled.size, 30);
    assert.ok(source.pages.length - before <= 8, 'not from its beginning');
  });

  test('shows what becomes visible after what is newer, within two seconds', async () => {
    const source = new Source([1_000, 1_000, 1_000, 1_000]);
    const [late] = source.items.splice(2, 1);
    await source.go(null);
    source.items.splice(2, 0, late!);
    await source.go(null);
    assert.equal(source.settled.size, 4);
  });

  test('asks for one page a look, and saves nothing, while there is nothing new', async () => {
    const source = new Source(Array.from({ length: 10 }, () => 1_000));
    for (let goes = 0; goes < 3; goes += 1) await source.go(null);
    const { place } = source;
    const before = source.pages.length;
    await source.go(null);
    assert.deepEqual([source.place, source.pages.length - before], [place, 1]);
  });
});
