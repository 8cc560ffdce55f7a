import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isRunning, thisProcess, withFileLock } from '#file-lock';
import { createTestFolders } from '../support/stack.js';
import type { TestFolders } from '../support/stack.js';
import { deadPid, firstLine, kill, runModule } from '../support/processes/child-processes.js';

let folders: TestFolders;
before(async () => {
  folders = await createTestFolders();
  await mkdir(folders.cache, { recursive: true });
});
after(() => folders.remove());

const lockModule = JSON.stringify(import.meta.resolve('#file-lock'));

describe('file lock', () => {
  it('lets one process in at a time', async () => {
    const path = join(folders.cache, 'counted');
    const counter = join(folders.cache, 'counter');
    await writeFile(counter, '0');
    const code = `
      import { readFile, writeFile } from 'node:fs/promises';
      import { withFileLock } from ${lockModule};
      for (let i = 0; i < 5; i += 1) {
        await withFileLock(${JSON.stringify(path)}, async () => {
          const count = Number(await readFile(${JSON.stringify(counter)}, 'utf8'));
          await new Promise((resolve) => setTimeout(resolve, 5));
          await writeFile(${JSON.stringify(counter)}, String(count + 1));
        });
      }
      console.log('done');`;
    await Promise.all([1, 2, 3].map(() => firstLine(runModule(code))));
    assert.equal(await readFile(counter, 'utf8'), '15');
    assert.equal(existsSync(path), false);
  });

  it('waits for the owner, and says for whom', async () => {
    const path = join(folders.cache, 'held');
    const waitedFor: (number | null)[] = [];
    const order: string[] = [];
    let free: () => void = () => undefined;
    const freed = new Promise<void>((resolve) => (free = resolve));
    let first: Promise<void> | undefined;
    // The second comes only when the first is inside; whoever is first to the file is chance.
    await new Promise<void>((inside) => {
      first = withFileLock(path, async () => {
        inside();
        await freed;
        order.push('first');
      });
    });
    const second = withFileLock(path, async () => void order.push('second'), {
      onWait: (pid) => {
        waitedFor.push(pid);
        free();
      },
    });
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first', 'second']);
    assert.deepEqual(waitedFor, [process.pid]);
  });

  it('takes over the lock of a process that was killed', async () => {
    const path = join(folders.cache, 'killed');
    const owner = runModule(`
      import { withFileLock } from ${lockModule};
      await withFileLock(${JSON.stringify(path)}, async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`);
    assert.equal(await firstLine(owner), 'held');
    await kill(owner, 'SIGKILL');
    let inside = 0;
    const enter = (): Promise<void> =>
      withFileLock(path, async () => {
        inside += 1;
        assert.equal(inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside -= 1;
      });
    await Promise.all([enter(), enter(), enter()]);
  });

  it('takes over a lock whose owner died while writing it', async () => {
    const path = join(folders.cache, 'half');
    await writeFile(path, '{"pid":');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    assert.equal(await withFileLock(path, async () => 'in'), 'in');
  });

  it('frees the lock when the work fails', async () => {
    const path = join(folders.cache, 'failing');
    const failing = withFileLock(path, () => Promise.reject(new Error('work')));
    await assert.rejects(failing, /work/);
    assert.equal(existsSync(path), false);
  });

  it('does not take another process with the same pid for the owner', async () => {
    assert.equal(isRunning(thisProcess()), true);
    assert.equal(isRunning({ pid: await deadPid(), startedAt: null }), false);
    if (process.platform === 'win32') return;
    assert.equal(isRunning({ pid: process.pid, startedAt: 'another time' }), false);
  });
});
