import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressLines, withProgress } from '../../src/runtime/progress.js';
import type { ProgressStep } from '../../src/runtime/progress.js';

const build = (elapsedSeconds: number): ProgressStep => ({ message: 'Building', elapsedSeconds });
const steps: ProgressStep[] = [
  { message: 'Downloading', elapsedSeconds: 0 },
  { message: 'Downloading', elapsedSeconds: 0, done: true },
  build(0),
  build(1),
  build(30),
  { ...build(31), done: true },
];

describe('progress', () => {
  it('counts in one line a step on a terminal', () => {
    assert.equal(
      shown(true),
      'Downloading (0 s)\r\x1b[KDownloading (0 s)\n' +
        'Building (0 s)\r\x1b[KBuilding (1 s)\r\x1b[KBuilding (30 s)\r\x1b[KBuilding (31 s)\n',
    );
  });

  it('is a few plain lines elsewhere', () => {
    assert.equal(
      shown(false),
      'Downloading\nBuilding\nBuilding (30 s)\nBuilding: ended after 31 s\n',
    );
  });

  it('tells the end of a step that fails, too', async () => {
    const seen: ProgressStep[] = [];
    const failing = withProgress(
      (step) => void seen.push(step),
      'Fetching',
      () => Promise.reject(new Error('no')),
    );
    await assert.rejects(failing, /no/);
    assert.deepEqual(seen, [
      { message: 'Fetching', elapsedSeconds: 0 },
      { message: 'Fetching', elapsedSeconds: 0, done: true },
    ]);
  });
});

function shown(isTTY: boolean): string {
  let text = '';
  const report = progressLines({ isTTY, write: (part: string) => (text += part) });
  for (const step of steps) report(step);
  return text;
}
