/** The runner of the benchmarks, with benchmarks that need no server. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { main } from '../../bench/main.js';
import type { Result } from '../../bench/measure/result.js';
import type { Scenario, Script } from '../../bench/scenario.js';

/** Takes as many seconds as it has rows. */
const slow: Scenario = {
  name: 'slow',
  line: 'takes as many seconds as it has rows',
  rows: 5,
  flags: { twice: 'takes twice as long' },
  floors: [
    { figure: 'seconds', is: 'at most', limit: 5 },
    { figure: 'seconds', is: 'at most', limit: 0.5, times: 'before' },
  ],
  async run({ rows, flags }) {
    const seconds = flags.has('twice') ? 2 * rows : rows;
    return { servers: null, figures: { seconds }, details: { steps: [{ step: 'one', seconds }] } };
  },
};
const skipped: Scenario = {
  ...slow,
  name: 'skipped',
  run: async () => ({ servers: null, figures: {}, skipped: 'a part is not installed' }),
};
const other: Script = { name: 'other', line: 'a script', path: 'bench/other' };

describe('npm run bench', () => {
  let folder: string;
  let out = '';
  let notes = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consentry-bench-test-'));
  });
  beforeEach(() => {
    out = '';
    notes = '';
  });
  after(() => rm(folder, { recursive: true }));

  const bench = (...args: string[]): Promise<number> =>
    main(args, [slow, skipped, other], {
      out: (text) => (out += text),
      note: (text) => (notes += text),
      run: async (script, rest) => {
        out += `${script.path} ${rest.join(' ')}`;
        return 7;
      },
    });
  const results = async (at: string): Promise<Result[]> => {
    const names = (await readdir(at)).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(at, name), 'utf8')));
    return texts.map((text) => JSON.parse(text) as Result);
  };

  it('lists every benchmark with its line', async () => {
    assert.equal(await bench(), 0);
    assert.match(out, /slow .*takes as many seconds/);
    assert.match(out, /--twice: takes twice as long/);
    assert.match(out, /other .*a script/);
  });

  it('ends with 0 if every floor is held, and writes what was measured, where and how', async () => {
    const at = join(folder, 'held');
    assert.equal(await bench('slow', '--out', at), 0);
    assert.match(out, /held: seconds at most 5: 5/);
    const [result] = await results(at);
    assert.equal(result!.scenario, 'slow');
    assert.deepEqual(result!.parameters, { rows: 5, flags: [] });
    assert.deepEqual(result!.figures, { seconds: 5 });
    assert.equal(result!.held, true);
    assert.ok(result!.machine.cores >= 1 && result!.machine.memoryBytes > 0);
    assert.equal(result!.machine.load.begin.length, 3);
    assert.equal(result!.versions.node, process.versions.node);
    // A clone has one, an unpacked archive does not.
    if (result!.commit !== null) assert.match(result!.commit.id, /^[0-9a-f]{40}$/);
  });

  it('ends with 1 if a floor is missed, and writes that too', async () => {
    const at = join(folder, 'missed');
    assert.equal(await bench('slow', '--rows', '6', '--out', at), 1);
    assert.match(out, /MISSED: seconds at most 5: 6/);
    const [result] = await results(at);
    assert.equal(result!.held, false);
    assert.equal(result!.floors[0]!.held, false);
  });

  it('only reports a missed floor with --no-floor', async () => {
    const at = join(folder, 'reported');
    assert.equal(await bench('slow', '--rows', '6', '--no-floor', '--out', at), 0);
    assert.match(out, /MISSED/);
    assert.equal((await results(at))[0]!.held, false);
  });

  it('compares with the file of --before', async () => {
    const at = join(folder, 'before');
    await bench('slow', '--rows', '4', '--twice', '--no-floor', '--out', at);
    const [name = ''] = await readdir(at);
    const file = join(at, name);
    const result = JSON.parse(await readFile(file, 'utf8')) as Result;
    await writeFile(file, JSON.stringify({ ...result, parameters: { rows: 4, flags: [] } }));
    assert.equal(await bench('slow', '--rows', '4', '--before', file, '--out', at), 0);
    assert.match(out, /held: seconds at most 0.5 x 8 before: 4/);
    await writeFile(
      file,
      JSON.stringify({ ...result, parameters: { rows: 4, flags: [] }, figures: { seconds: 7 } }),
    );
    assert.equal(await bench('slow', '--rows', '4', '--before', file, '--out', at), 1);
    assert.match(out, /MISSED: seconds at most 0.5 x 7 before: 4/);
  });

  it('refuses a file that cannot be compared with', async () => {
    const at = join(folder, 'refused');
    await bench('slow', '--twice', '--no-floor', '--out', at);
    const file = join(at, (await readdir(at))[0]!);
    assert.equal(await bench('slow', '--before', file), 2);
    assert.match(notes, /other flags: twice/);
    assert.equal(await bench('slow', '--twice', '--rows', '4', '--before', file), 2);
    assert.match(notes, /has 5 rows, but this run has 4/);
    assert.equal(await bench('skipped', '--twice', '--before', file), 2);
    assert.match(notes, /is of slow; it can be compared with skipped only/);
    assert.equal(await bench('slow', '--scales', file), 2);
    assert.match(notes, /no floor that needs --scales/);
    await writeFile(file, '{}');
    assert.equal(await bench('slow', '--before', file), 2);
    assert.match(notes, /is not a result/);
  });

  it('ends with 2 for an unknown name, option or number', async () => {
    assert.equal(await bench('slw'), 2);
    assert.match(notes, /no benchmark "slw": slow, skipped, other/);
    assert.equal(await bench('slow', '--quick'), 2);
    assert.equal(await bench('slow', '--rows', '0'), 2);
    assert.equal(await bench('slow', '--rows', 'many'), 2);
    assert.match(notes, /got "many"/);
  });

  it('says why a benchmark was skipped, and judges nothing', async () => {
    const at = join(folder, 'skipped');
    assert.equal(await bench('skipped', '--out', at), 0);
    assert.match(out, /Skipped: a part is not installed/);
    assert.equal((await results(at))[0]!.held, null);
  });

  it('runs a script with its own arguments and ends as it does', async () => {
    assert.equal(await bench('other', '--limit', '3'), 7);
    assert.equal(out, 'bench/other --limit 3');
  });
});
