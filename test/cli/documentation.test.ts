import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { run } from './terminal.js';

const VERBS = [
  ...'demo dev sandbox worker check create-list plan apply map init migrate status report show'.split(
    ' ',
  ),
  ...'subscribe unsubscribe suppress unsuppress add-to-list remove-from-list'.split(' '),
  ...'approve pause resume set-share cancel retry-failed'.split(' '),
  ...['run', 'status', 'pause', 'unpause', 'validate', 'reset', 'cancel'].map(
    (verb) => `sync ${verb}`,
  ),
  ...['config check', 'config schema', 'program list', 'program show', 'program run'],
  'webhooks listen',
];
const PAGES = [
  'README.md',
  'docs/cli.md',
  'docs/sources.md',
  'docs/report.md',
  'docs/config.md',
  'docs/programs.md',
  'docs/sync.md',
  'packages/klaviyo-sandbox/README.md',
];

/** Told by --help alone: they are the same for every verb. */
const EVERYWHERE = new Set(['--help', '--version']);

/** The repository is the folder of package.json, from the sources as from the build. */
function page(path: string): string {
  for (const up of ['../../', '../../../']) {
    try {
      return readFileSync(new URL(up + path, import.meta.url), 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new Error(`${path} is not found`);
}

const flagsIn = (text: string): string[] => text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];

async function flagsOf(verb: string): Promise<string[]> {
  const { stdout } = await run(...verb.split(' '), '--help');
  return [...stdout.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
}

describe('the documentation of the CLI', () => {
  for (const verb of VERBS) {
    it(`names every flag of ${verb}`, async () => {
      const text =
        verb === 'sandbox' ? page('packages/klaviyo-sandbox/README.md') : page('docs/cli.md');
      const named = new Set(flagsIn(text));
      const missing = (await flagsOf(verb)).filter(
        (flag) => !named.has(flag) && !EVERYWHERE.has(flag),
      );
      assert.deepEqual(missing, []);
    });
  }

  it('names no flag that there is not', async () => {
    const known = new Set(EVERYWHERE);
    for (const verb of VERBS) (await flagsOf(verb)).forEach((flag) => known.add(flag));
    for (const path of PAGES) {
      // Flags of other programs stand in commands of theirs.
      const text = page(path).replaceAll(/^(curl|temporal|npm|npx|git|psql) .*$/gm, '');
      assert.deepEqual(
        flagsIn(text).filter((flag) => !known.has(flag)),
        [],
        path,
      );
    }
  });
});
