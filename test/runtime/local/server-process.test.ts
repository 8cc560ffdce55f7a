import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startedAt } from '#file-lock';
import type { ProcessIdentity } from '#file-lock';
import { endOrphans } from '../../../src/runtime/local/process-records.js';
import { startServerProcess } from '../../../src/runtime/local/server-process.js';
import type { ServerCommand } from '../../../src/runtime/local/server-process.js';
import { createTestFolders } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';
import {
  deadPid,
  firstLine,
  kill,
  runModule,
  runtimeModule,
  untilGone,
} from '../../support/processes/child-processes.js';

let folders: TestFolders;
before(async () => {
  folders = await createTestFolders();
});
after(() => folders.remove());

const FOREVER = 'setInterval(() => undefined, 1000); console.log("up");';
const DEAF = `process.on('SIGTERM', () => console.log('no')); process.on('SIGQUIT', () => console.log('no')); ${FOREVER}`;

function command(code: string): ServerCommand {
  return {
    label: 'test server',
    file: process.execPath,
    args: ['-e', code],
    env: {},
    cwd: tmpdir(),
    stopSignal: 'SIGTERM',
    stateFolder: folders.state,
  };
}

describe('server process', () => {
  it('is stopped by its signal and leaves no record', async () => {
    const server = await startServerProcess(command(FOREVER));
    assert.equal(server.running, true);
    assert.deepEqual(await readdir(join(folders.state, 'processes')), [`${server.pid}.json`]);
    await server.stop();
    assert.equal(server.running, false);
    assert.match(await server.ended, /SIGTERM/);
    assert.deepEqual(await readdir(join(folders.state, 'processes')), []);
  });

  it('is killed when it does not listen', { timeout: 30_000 }, async () => {
    const server = await startServerProcess(command(DEAF));
    while (!server.output().includes('up')) await new Promise((resolve) => setImmediate(resolve));
    await server.stop(100);
    assert.match(await server.ended, /SIGKILL/);
  });

  it('says how it ended and what it wrote', async () => {
    const server = await startServerProcess(command('console.error("no port"); process.exit(3)'));
    assert.equal(await server.ended, 'ended with exit code 3');
    assert.equal(server.output(), 'no port');
    await server.stop();
  });

  it('says which program is missing', async () => {
    const missing = { ...command(''), file: '/nowhere/postgres' };
    await assert.rejects(startServerProcess(missing), /test server could not be started.*nowhere/);
  });

  it('ends when the process that started it is killed', { skip: noShell() }, async () => {
    const owner = runModule(`
      import { startServerProcess } from ${runtimeModule('local/server-process')};
      const server = await startServerProcess(${JSON.stringify(command(FOREVER))});
      console.log(server.pid);
      setInterval(() => undefined, 1000);`);
    const pid = Number(await firstLine(owner));
    await kill(owner, 'SIGKILL');
    await untilGone(pid);
  });
});

describe('clean-up after a crash', () => {
  it('ends what a dead owner left and removes its temporary folder', async () => {
    const temporaryFolder = await mkdtemp(join(tmpdir(), 'consentry-orphan-'));
    const orphan = spawn(process.execPath, ['-e', FOREVER], { detached: true, stdio: 'ignore' });
    await record(orphan.pid ?? 0, { pid: await deadPid(), startedAt: '1' }, temporaryFolder);
    assert.deepEqual(await endOrphans(folders.state), ['left over']);
    await untilGone(orphan.pid ?? 0);
    assert.equal(existsSync(temporaryFolder), false);
    assert.deepEqual(await endOrphans(folders.state), []);
  });

  it('leaves what a living owner runs', async () => {
    const server = await startServerProcess(command(FOREVER));
    assert.deepEqual(await endOrphans(folders.state), []);
    assert.equal(server.running, true);
    await server.stop();
  });

  it('leaves a process that got the pid of the one that was recorded', async () => {
    const other = spawn(process.execPath, ['-e', FOREVER], { stdio: 'ignore' });
    const dead = { pid: await deadPid(), startedAt: '1' };
    await record(other.pid ?? 0, dead, null, 'another time');
    assert.deepEqual(await endOrphans(folders.state), []);
    assert.notEqual(startedAt(other.pid ?? 0), 'ended');
    await kill(other, 'SIGKILL');
  });

  it('removes no folder but temporary ones of ours', async () => {
    const precious = join(folders.data, 'precious');
    await mkdir(precious, { recursive: true });
    await record(await deadPid(), { pid: await deadPid(), startedAt: '1' }, precious);
    await endOrphans(folders.state);
    assert.equal(existsSync(precious), true);
    await rm(precious, { recursive: true });
  });
});

async function record(
  pid: number,
  owner: ProcessIdentity,
  temporaryFolder: string | null,
  began = startedAt(pid),
): Promise<void> {
  await mkdir(join(folders.state, 'processes'), { recursive: true });
  await writeFile(
    join(folders.state, 'processes', `${pid}.json`),
    JSON.stringify({
      label: 'left over',
      owner,
      child: { pid, startedAt: began },
      stopSignal: 'SIGTERM',
      temporaryFolder,
    }),
  );
}

function noShell(): string | false {
  return process.platform === 'win32' ? 'the watchdog needs a Unix shell' : false;
}
