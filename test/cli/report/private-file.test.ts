import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { thisProcess } from '#file-lock';
import { UsageError } from '../../../src/cli/ended.js';
import { requireWritable, writePrivateFile } from '../../../src/cli/report/private-file.js';
import { deadPid } from '../../support/processes/child-processes.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consentry-test-private-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (path: string, text = 'ada@example.com\n'): Promise<void> =>
  writePrivateFile(path, (file) => pipeline([text], file));

const nameable = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '-');
const unfinished = (pid: number, since: string, host = nameable(hostname())): string =>
  `people.csv.${pid}-${nameable(since)}.${host}.new`;

describe('a file with addresses', () => {
  it('takes with it what killed processes left half written in its folder', async () => {
    const dead = await deadPid();
    const { pid, startedAt } = thisProcess();
    const others = [
      unfinished(pid, startedAt ?? ''),
      unfinished(dead, '7', 'elsewhere'),
      'mine.new',
      'a.1.new',
    ];
    // The number of a process that ended may be another's by now.
    for (const name of [unfinished(dead, '7'), unfinished(pid, 'before'), ...others]) {
      await writeFile(join(folder, name), 'eve@example.com\n');
    }
    await write(join(folder, 'report.csv'));
    assert.deepEqual((await readdir(folder)).sort(), ['report.csv', ...others].sort());
    assert.equal(await readFile(join(folder, 'report.csv'), 'utf8'), 'ada@example.com\n');
  });

  for (const [what, path, why] of [
    ['in a folder that is none', 'file/rejects.csv', 'there is no such folder'],
    ['in a folder that is not there', 'nowhere/rejects.csv', 'there is no such folder'],
    ['that is a folder', 'folder', 'it is a folder'],
    ['with a name that is too long', `${'x'.repeat(250)}.csv`, 'its name is too long'],
    ['with a name that no file has', 'a\0b', 'this is not a valid file name'],
  ] as const) {
    it(`is refused ${what}, before anything is done for it`, async () => {
      await writeFile(join(folder, 'file'), '');
      await mkdir(join(folder, 'folder'));
      const refused = (error: unknown): boolean => {
        assert.ok(error instanceof UsageError, String(error));
        assert.equal(
          error.message,
          `${join(folder, path)} cannot be written: ${why}. Give another path.`,
        );
        return true;
      };
      await assert.rejects(requireWritable(join(folder, path)), refused);
      await assert.rejects(write(join(folder, path)), refused);
    });
  }

  it('does not replace a device', { skip: process.platform === 'win32' }, async () => {
    await assert.rejects(write('/dev/null'), /not a regular file/);
  });
});
