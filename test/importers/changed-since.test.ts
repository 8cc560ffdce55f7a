import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Intent } from '../../src/contracts/intents.js';
import { changedSince, type Changes, type VanishedRow } from '../../src/importers/changed-since.js';
import { openSource } from '../../src/importers/open-source.js';
import type { ImportOptions } from '../../src/importers/options.js';
import { OPTIONS, withFile } from '../support/sources.js';

const HEADER = 'email,phone_number,email_consent,email_consented_at,sms_consent,suppressed';
const BOTH = { channels: ['email', 'sms'], undated: 'subscribe' } as const;
const BEFORE = new Date('2025-06-01T00:00:00Z');

interface Compared {
  readonly changes: Changes;
  readonly lines: readonly number[];
  readonly vanished: readonly VanishedRow[];
  readonly read: readonly number[];
}

const csv = (rows: readonly string[]): string => [HEADER, ...rows, ''].join('\n');

async function compare(
  older: string,
  newer: string,
  options: Partial<ImportOptions> = BOTH,
  takeAll = true,
): Promise<Compared> {
  return withFile(older, (oldFile) =>
    withFile(newer, async (newFile) => {
      const source = await openSource(newFile, { ...OPTIONS, ...options });
      const before = await openSource(oldFile, { ...OPTIONS, ...options });
      const vanished: VanishedRow[] = [];
      const read: number[] = [];
      try {
        const { changes, intents } = await changedSince(source, before, {
          before: BEFORE,
          onVanished: async (rows) => {
            for await (const row of rows) {
              vanished.push(row);
              if (!takeAll) return;
            }
          },
          onRows: (rows) => read.push(rows),
        });
        const kept: Intent[] = [];
        for await (const batch of intents) kept.push(...batch);
        assert.equal(kept.length, changes.changed);
        assert.equal(changes.rows, changes.changed + changes.unchanged);
        return { changes, lines: kept.map(({ line }) => line), vanished, read };
      } finally {
        await source.close();
        await before.close();
      }
    }),
  );
}

const linesOf = async (older: string[], newer: string[], options?: Partial<ImportOptions>) =>
  (await compare(csv(older), csv(newer), options)).lines;

const ADA = 'ada@example.com,,yes,2021-03-04,,';
const BOB = 'bob@example.com,,yes,2021-03-04,,';
const BOB_TEXTS = 'bob@example.com,+12015550122,yes,2021-03-04,yes,';
const BOB_LEFT = 'bob@example.com,,unsubscribed,2025-03-04,,';

describe('what changed between two exports', () => {
  it('is nothing where every row is as it was, in whatever order', async () => {
    const { changes, vanished } = await compare(csv([ADA, BOB, ADA]), csv([BOB, ADA, ADA]));
    assert.deepEqual(changes, { rows: 3, changed: 0, unchanged: 3, vanished: 0 });
    assert.deepEqual(vanished, []);
  });

  it('is whoever joined, left, or changed a date, under the lines of the newer export', async () => {
    const older = [ADA, BOB, 'cy@example.com,,yes,2021-03-04,,'];
    const newer = [
      'dan@example.com,,yes,2025-03-04,,',
      ADA,
      BOB_LEFT,
      'cy@example.com,,yes,2022-03-04,,',
    ];
    assert.deepEqual(await linesOf(older, newer), [2, 4, 5]);
  });

  for (const [what, older, newer] of [
    ['one more row that says the same', [BOB], [BOB, BOB]],
    ['one row less', [BOB, BOB], [BOB]],
    ['two more rows that say the same', [BOB], [BOB, BOB, BOB]],
    ['a row that opts out beside one that does not', [BOB], [BOB, BOB_LEFT]],
    ['a row that opted out and is gone', [BOB, BOB_LEFT], [BOB]],
    ['a suppression', [BOB], [BOB.replace(/$/, 'yes')]],
    ['another number', [BOB_TEXTS], [BOB_TEXTS.replace('0122', '0123')]],
    ['another spelling', [BOB], [BOB.toUpperCase().replace('YES', 'yes')]],
  ] as const) {
    it(`is all rows of a person with ${what}`, async () => {
      const { changes } = await compare(csv([ADA, ...older]), csv([ADA, ...newer]));
      assert.deepEqual([changes.changed, changes.unchanged], [newer.length, 1]);
    });
  }

  it('is an opt-out with a mistyped address, while anything about its number is new', async () => {
    const known = 'bob@example.com,+12015550123,,,yes,';
    const out = 'bob@example,+12015550123,unsubscribed,,,';
    const joins = 'bob@example.com,,yes,2025-03-04,,';
    assert.deepEqual(await linesOf([known], [known, out]), [2, 3]);
    // The number is as it was, but what it says of the address stands against the new consent.
    assert.deepEqual(await linesOf([known, out, ADA], [known, out, ADA, joins]), [2, 3, 5]);
  });

  it('is everybody who is connected to it, in either export', async () => {
    const chain = [
      'a@example.com,+12015550101,yes,2021-03-04,yes,',
      'b@example.com,+12015550101,yes,2021-03-04,yes,',
      'b@example.com,+12015550102,yes,2021-03-04,yes,',
      'c@example.com,+12015550102,yes,2021-03-04,yes,',
    ];
    assert.deepEqual(
      await linesOf([...chain, ADA], [...chain, ADA, 'c@example.com,,,,,yes']),
      [2, 3, 4, 5, 7],
    );
    const [link = ''] = chain.splice(1, 1);
    const loose = [chain[0] ?? '', ...chain.slice(1)];
    assert.deepEqual(await linesOf([...loose, link], loose), [2, 3, 4]);
  });

  it('is not who only has the same text in place of a number', async () => {
    const unusable = (email: string) => `${email}@example.com,none,yes,2021-03-04,yes,`;
    const older = [unusable('a'), unusable('b')];
    assert.deepEqual(await linesOf(older, [...older, unusable('c')]), [4]);
  });

  it('is a row that names nobody where its text is new', async () => {
    const older = ['bob@example,,unsubscribed,,,', ',,yes,,,'];
    assert.deepEqual(await linesOf(older, older), []);
    assert.deepEqual(await linesOf(older, [...older, 'eve@example,,unsubscribed,,,']), [4]);
  });

  it('is every row that could not be read: what it says may be new', async () => {
    assert.deepEqual(await linesOf([ADA, 'a,b'], [ADA, 'a,b']), [3]);
  });

  it('is whoever has a date that may have been in the future when the older one was read', async () => {
    const dated = (date: string) => [`bob@example.com,,yes,${date},,`];
    for (const [date, lines] of [
      ['2025-05-31T23:59:59Z', []],
      ['2025-06-01T00:00:01Z', [2]],
      ['2025-12-31T00:00:00Z', [2]],
      // Refused then as now.
      ['2071-01-01T00:00:00Z', []],
    ] as const) {
      assert.deepEqual(await linesOf(dated(date), dated(date)), lines, date);
    }
    const [out = ''] = dated('2025-07-01').map((row) => row.replace('yes', 'unsubscribed'));
    assert.deepEqual(await linesOf([out], [out]), [2]);
  });

  it('lists the addresses and numbers that are gone, with the lines of the older export', async () => {
    const older = [
      ADA,
      'moved@example.com,+12015550101,yes,2021-03-04,yes,',
      'gone@example.com,+12015550102,yes,2021-03-04,unsubscribed,',
      'gone@example.com,,unsubscribed,,,',
      ',+12015550103,,,yes,',
      'gone@example,,yes,2021-03-04,,',
    ];
    const newer = [ADA, 'new@example.com,+12015550101,yes,2021-03-04,yes,'];
    const { changes, vanished, lines } = await compare(csv(older), csv(newer));
    assert.deepEqual(changes, { rows: 2, changed: 1, unchanged: 1, vanished: 3 });
    assert.deepEqual(lines, [3]);
    const shown = vanished.map(({ line, email, phoneNumber }) => [line, email, phoneNumber]);
    assert.deepEqual(shown, [
      [3, 'moved@example.com', null],
      [4, 'gone@example.com', '+12015550102'],
      [5, 'gone@example.com', null],
      [6, null, '+12015550103'],
    ]);
    assert.deepEqual(
      vanished[1]?.parts.map(({ operation }) => operation),
      ['subscribe', 'unsubscribe'],
    );
  });

  it('is known even if nobody reads who vanished to the end', async () => {
    const older = ['x@example.com,,yes,,,', 'y@example.com,,yes,,,', BOB];
    const { changes, vanished } = await compare(csv(older), csv([BOB_LEFT]), BOTH, false);
    assert.deepEqual(changes, { rows: 1, changed: 1, unchanged: 0, vanished: 2 });
    assert.equal(vanished.length, 1);
  });

  it('is found among thousands', async () => {
    const rows = (isNewer: boolean) =>
      Array.from({ length: 5_000 }, (_, n) => {
        const consent = isNewer && n % 1_000 === 7 ? 'unsubscribed' : 'yes';
        return `p${n}@example.com,,${consent},2021-03-04,,`;
      });
    const { lines, changes } = await compare(csv(rows(false)), csv(rows(true).reverse()));
    assert.deepEqual(lines, [994, 1_994, 2_994, 3_994, 4_994]);
    assert.equal(changes.vanished, 0);
  });

  it('tells how many rows of both were read', async () => {
    const { read } = await compare(csv([ADA, BOB]), csv([ADA]));
    assert.deepEqual(read, [1, 3]);
  });
});
