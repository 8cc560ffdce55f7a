import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The sections of docs/scenarios.md, by the ids that are listed in them. */
const SECTIONS: Readonly<Record<string, string>> = {
  bug: 'Faults known of other tools',
  wish: 'What people ask for',
  check: 'What Klaviyo checks at once',
  effect: 'What a subscribe does, and when',
  switch: 'Every open question, answered both ways',
};

const NOT_PLAYED = /^not played yet: .{20,}/;

interface Listed {
  readonly section: string;
  readonly id: string;
  readonly cells: readonly string[];
  /** The last cell. */
  readonly test: string;
}

/** The repository is the folder of package.json, from the sources as from the build. */
function documentation(): string {
  const roots = ['../../', '../../../'].map((up) => new URL(up, import.meta.url));
  for (const root of roots) {
    try {
      return readFileSync(new URL('docs/scenarios.md', root), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error('docs/scenarios.md is not found');
}

/** The rows of all tables, without their heads. */
function listed(): Listed[] {
  const rows: Listed[] = [];
  let section = '';
  for (const line of documentation().split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3).trim();
    const cells = line.split('|').map((cell) => cell.trim());
    const [first, id = '', ...others] = cells;
    if (first !== '' || !/^[a-z]+-\d+$/.test(id)) continue;
    const texts = others.slice(0, -1);
    rows.push({ section, id, cells: texts, test: texts.at(-1) ?? '' });
  }
  return rows;
}

/** Id and title of every scenario, as the tests beside this one have them. */
function played(): string[] {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(folder).filter((name) => /\.test\.[jt]s$/.test(name));
  return files.flatMap((name) => {
    if (/^listed\./.test(name)) return [];
    const source = readFileSync(new URL(name, import.meta.url), 'utf8');
    const calls = [...source.matchAll(/\bscenario\(/g)];
    const titles = [
      ...source.matchAll(/\bscenario\(\s*'([^']+)',\s*(?:'((?:[^'\\]|\\.)+)'|"([^"]+)")/g),
    ];
    assert.equal(titles.length, calls.length, `${name}: a scenario has no plain id and title`);
    return titles.map(([, id = '', single, double]) =>
      [id, (single ?? double ?? '').replaceAll("\\'", "'")].join(': '),
    );
  });
}

describe('docs/scenarios.md', () => {
  const rows = listed();

  it('lists every scenario under its id and title, and none that is not there', () => {
    const titles = rows.flatMap(({ id, test }) => (NOT_PLAYED.test(test) ? [] : `${id}: ${test}`));
    const tests = played();
    const notIn = (others: readonly string[]) => (title: string) => !others.includes(title);
    assert.deepEqual(tests.filter(notIn(titles)), [], 'not in docs/scenarios.md');
    assert.deepEqual(titles.filter(notIn(tests)), [], 'without a test');
    assert.equal(titles.length, tests.length, 'a title is listed twice');
  });

  it('has each title once', () => {
    const all = played();
    assert.deepEqual(
      all.filter((title, n) => all.indexOf(title) !== n),
      [],
    );
  });

  for (const [prefix, section] of Object.entries(SECTIONS)) {
    it(`has the section "${section}", without a gap in its ids`, () => {
      const ids = rows.flatMap(({ id, section: of }) => (of === section ? [id] : []));
      const numbers = [...new Set(ids.map((id) => Number(id.slice(prefix.length + 1))))];
      assert.deepEqual(
        ids,
        ids.filter((id) => id.startsWith(`${prefix}-`)),
      );
      assert.ok(numbers.length > 0, 'no scenario is listed');
      assert.deepEqual(
        numbers,
        numbers.map((_, n) => n + 1),
      );
    });
  }

  it('says in every row what happens and what is done about it', () => {
    for (const { id, cells } of rows) {
      assert.equal(cells.length, 3, `${id} has not four cells`);
      for (const cell of cells) assert.ok(cell.length > 10, `${id}: "${cell}" says too little`);
    }
  });
});
