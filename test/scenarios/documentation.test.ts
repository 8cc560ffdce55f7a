import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The sections of docs/scenarios.md and the folders of their tests, by the ids that are in them. */
const SECTIONS: Readonly<Record<string, { title: string; folder: string }>> = {
  bug: { title: 'Faults known of other tools', folder: 'other-tools' },
  wish: { title: 'What people ask for', folder: 'wishes' },
  operation: { title: 'Opting out, suppressing and lists', folder: 'operations' },
  check: { title: 'What Klaviyo checks at once', folder: 'checked-at-once' },
  effect: { title: 'What a subscribe does, and when', folder: 'effects' },
  switch: { title: 'Every open question, answered both ways', folder: 'open-questions' },
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

/** Id and title of every scenario, as the tests of one folder have them. */
function playedIn(name: string): string[] {
  const folder = new URL(`${name}/`, import.meta.url);
  const files = readdirSync(folder).filter((file) => /\.test\.[jt]s$/.test(file));
  return files.flatMap((file) => {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const calls = [...source.matchAll(/\bscenario\(/g)];
    const titles = [
      ...source.matchAll(/\bscenario\(\s*'([^']+)',\s*(?:'((?:[^'\\]|\\.)+)'|"([^"]+)")/g),
    ];
    assert.equal(titles.length, calls.length, `${file}: a scenario has no plain id and title`);
    return titles.map(([, id = '', single, double]) =>
      [id, (single ?? double ?? '').replaceAll("\\'", "'")].join(': '),
    );
  });
}

function played(): string[] {
  return Object.values(SECTIONS).flatMap(({ folder }) => playedIn(folder));
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

  it('has a section for every folder of tests', () => {
    const paths = readdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true });
    const tests = paths.map(String).filter((path) => /\.test\.[jt]s$/.test(path));
    const folders = new Set(tests.map(dirname).filter((folder) => folder !== '.'));
    const sections = Object.values(SECTIONS).map(({ folder }) => folder);
    assert.deepEqual([...folders].sort(), sections.sort());
  });

  it('has each title once', () => {
    const all = played();
    assert.deepEqual(
      all.filter((title, n) => all.indexOf(title) !== n),
      [],
    );
  });

  for (const [prefix, { title: section, folder }] of Object.entries(SECTIONS)) {
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

    it(`has the tests of the section "${section}" in one folder`, () => {
      const elsewhere = playedIn(folder).filter((title) => !title.startsWith(`${prefix}-`));
      assert.deepEqual(elsewhere, []);
      assert.ok(
        documentation().includes(`## ${section}\n\nTests: \`test/scenarios/${folder}\`.\n`),
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
