/** The lint rule of scripts/lint against circles of imports. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Linter, type ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

/** From the sources as from the build, which is a level deeper. */
const RULE = new URL(
  `${import.meta.url.includes('/dist/') ? '../' : ''}../../scripts/lint/no-circle.mjs`,
  import.meta.url,
);
const { circles } = (await import(RULE.href)) as { circles: ESLint.Plugin };

describe('the lint rule against circles of imports', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-circles-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Every test has files of its own: what one imports is remembered until it changes. */
  let made = 0;
  beforeEach(() => (made += 1));
  const nameOf = (file: string) => `${file}${made}`;
  const pathOf = (file: string) => join(folder, `${nameOf(file)}.ts`);

  /** Writes files that import each other: `./b.js` means the file `b` of this test. */
  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, code] of Object.entries(files)) {
      await writeFile(pathOf(file), inTest(code));
    }
  }

  const inTest = (code: string) =>
    code.replace(/\.\/([a-z])\.js/g, (_, file: string) => `./${nameOf(file)}.js`);

  /** The ways along which a file imports itself, as the rule names them. */
  function found(file: string, code: string): string[] {
    const messages = new Linter({ cwd: folder }).verify(
      inTest(code),
      [
        {
          files: ['**/*.ts'],
          languageOptions: { parser: tseslint.parser },
          plugins: { circles },
          rules: { 'circles/no-circle': 'error' },
        },
      ],
      { filename: pathOf(file) },
    );
    return messages.map(({ ruleId, message }) => {
      assert.equal(ruleId, 'circles/no-circle', message);
      const [, way = message] = /^This import closes a cycle: (.*?)\. Move /.exec(message) ?? [];
      return way.replaceAll(`${made}.ts`, '');
    });
  }

  for (const [how, code] of [
    ['values', "import { b } from './b.js'; export const a = b;"],
    ['types alone', "import type { B } from './b.js'; export type A = B;"],
    ['a type among others', "import { type B } from './b.js'; export type A = B;"],
    ['what runs on being imported', "import './b.js'; export const a = 1;"],
    ['a name that is passed on', "export { b } from './b.js';"],
    ['everything that is passed on', "export * from './b.js';"],
    ['an import when it is needed', "export const a = () => import('./b.js');"],
    ['a type that is named where it is used', "export type A = import('./b.js').B;"],
  ] as const) {
    test(`finds a circle of ${how}`, async () => {
      await write({ a: code, b: "import type { A } from './a.js'; export type B = A;" });
      assert.deepEqual(found('a', code), ['a -> b -> a']);
    });
  }

  test('finds a circle by way of a third file, and names the shortest way', async () => {
    const a = "import { b } from './b.js'; import { d } from './d.js'; export const a = [b, d];";
    await write({
      a,
      b: "export { c as b } from './c.js'; export { d } from './d.js';",
      c: "import type { A } from './a.js'; export const c: A | null = null;",
      d: 'export const d = 1;',
    });
    assert.deepEqual(found('a', a), ['a -> b -> c -> a']);
  });

  test('finds a file that imports itself', async () => {
    const a = "import type { A } from './a.js'; export type A = string;";
    await write({ a });
    assert.deepEqual(found('a', a), ['a -> a']);
  });

  test('has nothing against files that are imported twice, or import a circle of others', async () => {
    const a = "import { b } from './b.js'; import { c } from './c.js'; export const a = [b, c];";
    await write({
      a,
      b: "import { d } from './d.js'; export const b = d;",
      c: "import { d } from './d.js'; export const c = d;",
      d: "import type { E } from './e.js'; export const d: E = 1;",
      e: "import type { d } from './d.js'; export type E = typeof d | number;",
    });
    assert.deepEqual(found('a', a), []);
  });

  test('looks past packages, and files that are not there', async () => {
    const a = "import 'node:fs'; import { b } from './b.js'; export * from './z.js'; b();";
    await write({ a, b: "import 'eslint'; export const b = () => import('./z.js');" });
    assert.deepEqual(found('a', a), []);
  });

  test('sees that a file has changed', async () => {
    const a = "import { b } from './b.js'; export const a = b;";
    await write({ a, b: "import type { A } from './a.js'; export const b: A | null = null;" });
    assert.deepEqual(found('a', a), ['a -> b -> a']);
    await write({ b: 'export const b = null;' });
    // A clock may be too coarse to tell two writes apart.
    await utimes(pathOf('b'), new Date(), new Date(Date.now() + 5_000));
    assert.deepEqual(found('a', a), []);
  });
});
