import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Intent } from '../../src/contracts/intents.js';
import { changedSince, openSource } from '../../src/importers/index.js';
import { reportedParts, settleDuplicates, type Ledger } from '../../src/ledger/index.js';
import { NOW, OPTIONS, withFile } from '../support/sources.js';
import { openTestLedger, store } from '../support/ledger.js';

const HEADER =
  'email,phone_number,email_consent,email_consented_at,sms_consent,sms_consented_at,suppressed,list';

const word = fc.constantFrom('', 'yes', 'yes', 'yes', 'unsubscribed', 'perhaps');
const date = fc.constantFrom('', '2019-05-06', '2021-05-06', '2024-05-06');
/** Few people, so that rows are connected in every way, some of them only through mistyped ones. */
const row = fc
  .tuple(
    fc.constantFrom('', 'a@example', ...['a', 'b', 'c', 'd'].map((name) => `${name}@example.com`)),
    fc.constantFrom('', '', '12', '+12015550101', '+12015550102', '+12015550103'),
    word,
    date,
    word,
    date,
    fc.constantFrom('', '', '', '', 'yes', 'perhaps'),
    fc.constantFrom('', '', '', '', 'add', 'remove', 'perhaps'),
  )
  .map((cells) => cells.join(','));
/** A row of the older export and what is in its place in the newer one, in the same order. */
const step = fc.oneof(
  { weight: 8, arbitrary: row.map((same) => ({ older: [same], newer: [same] })) },
  { weight: 1, arbitrary: row.map((joined) => ({ older: [], newer: [joined] })) },
  { weight: 1, arbitrary: row.map((left) => ({ older: [left], newer: [] })) },
  {
    weight: 1,
    arbitrary: fc.tuple(row, row).map(([older, newer]) => ({ older: [older], newer: [newer] })),
  },
);

function saidBy({ line: _line, ...said }: Intent): string {
  return JSON.stringify(said);
}

/** Rows of a source, with a last one about nobody else: a source has at least one. */
const csv = (rows: readonly string[]): string =>
  [HEADER, ...rows, 'last@example.com,,yes,2019-05-06,,,,', ''].join('\n');

describe('a run of what changed between two exports', () => {
  let ledger: Ledger;
  let migrations = 0;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  /** How the parts of each line end. */
  async function endsOf(intents: readonly Intent[]): Promise<Map<number, string>> {
    const ends = new Map<number, string>();
    if (intents.length === 0) return ends;
    const id = `changed-${(migrations += 1)}`;
    await store(ledger, id, [...intents]);
    await settleDuplicates(ledger.db, id);
    for await (const page of reportedParts(ledger.db, id)) {
      for (const { line, channel, operation, reason, outcome } of page) {
        const end = `${channel} ${operation} ${reason ?? outcome ?? 'open'}`;
        ends.set(line, [ends.get(line), end].filter((text) => text !== undefined).join(', '));
      }
    }
    return ends;
  }

  async function readings(older: string, newer: string) {
    const options = { ...OPTIONS, channels: ['email', 'sms'], undated: 'subscribe' } as const;
    return withFile(older, (oldFile) =>
      withFile(newer, async (newFile) => {
        const [old, all] = [await openSource(oldFile, options), await openSource(newFile, options)];
        const collect = async (batches: AsyncIterable<Intent[]>) => {
          const intents: Intent[] = [];
          for await (const batch of batches) intents.push(...batch);
          return intents;
        };
        try {
          const { intents } = await changedSince(all, old, { before: NOW });
          return {
            older: await collect(old.intents),
            newer: await collect(all.intents),
            changed: await collect(intents),
          };
        } finally {
          await old.close();
          await all.close();
        }
      }),
    );
  }

  test('ends its rows as a run of all would, and leaves out only what the run before did', async () => {
    let leftOut = 0;
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const rowsOf = (which: 'older' | 'newer') => csv(steps.flatMap((each) => each[which]));
        const { older, newer, changed } = await readings(rowsOf('older'), rowsOf('newer'));
        const before = await endsOf(older);
        const whole = await endsOf(newer);
        const since = await endsOf(changed);
        const times = new Map<string, number>();
        for (const intent of newer) {
          const { line } = intent;
          const said = saidBy(intent);
          const nth = times.get(said) ?? 0;
          times.set(said, nth + 1);
          if (since.has(line)) {
            kept += 1;
            assert.equal(since.get(line), whole.get(line), `line ${line}: ${said}`);
            continue;
          }
          leftOut += 1;
          const same = older.filter((other) => saidBy(other) === said)[nth];
          const done = before.get(same?.line ?? 0);
          assert.equal(done, whole.get(line), `line ${line} was left out: ${said}`);
        }
      }),
      { numRuns: 120 },
    );
    assert.ok(leftOut > 50 && kept > 50, `${leftOut} rows were left out, and ${kept} kept`);
  });
});
