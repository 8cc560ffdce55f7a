import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  archiveFor,
  downloadTemporalCli,
  TEMPORAL_CLI_VERSION,
} from '../../../src/runtime/local/temporal/cli-download.js';
import { findTemporalCli } from '../../../src/runtime/local/temporal/cli.js';
import type { TemporalCliOptions } from '../../../src/runtime/local/temporal/cli.js';
import { createTestFolders } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';

let folders: TestFolders;
let bin: string;
beforeEach(async () => {
  folders = await createTestFolders();
  bin = join(folders.data, 'bin');
  await mkdir(bin, { recursive: true });
});
afterEach(() => folders.remove());

const CLI = '#!/bin/sh\necho temporal version 1.2.3\n';
const BUILT = `#!/bin/sh\necho "$@" >> "$0.log"\nprintf '%s' '${CLI}' > "$GOBIN/temporal"\n`;
const noDownload = async (): Promise<{ failure: string }> => ({ failure: 'no such host' });

async function program(name: string, script: string): Promise<string> {
  const path = join(bin, name);
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

function find(given: Partial<TemporalCliOptions> & { cliPath?: string } = {}) {
  const { cliPath = null, ...options } = given;
  return findTemporalCli({
    config: {
      temporal: { variables: {}, cliPath },
      searchPath: [bin, '/usr/bin', '/bin'],
      httpsProxy: null,
    },
    folders,
    download: noDownload,
    ...options,
  });
}

describe('Temporal CLI', { skip: process.platform === 'win32' && 'uses shell scripts' }, () => {
  it('is the one that TEMPORAL_CLI_PATH names, before one on the PATH', async () => {
    await program('temporal', CLI);
    const path = await program('my-temporal', CLI);
    assert.deepEqual(await find({ cliPath: path }), { path, source: 'TEMPORAL_CLI_PATH' });
  });

  for (const [what, script] of [
    ['does not exist', null],
    ['is another program', '#!/bin/sh\necho hello\n'],
    ['fails', '#!/bin/sh\necho broken >&2; exit 7\n'],
  ] as const) {
    it(`is not looked for elsewhere when what TEMPORAL_CLI_PATH names ${what}`, async () => {
      await program('temporal', CLI);
      const cliPath = script === null ? '/nowhere/temporal' : await program('other', script);
      await assert.rejects(find({ cliPath }), {
        message: new RegExp(`^TEMPORAL_CLI_PATH is ${cliPath}, which does not run`),
      });
    });
  }

  it('is the one on the PATH', async () => {
    const path = await program('temporal', CLI);
    assert.deepEqual(await find(), { path, source: 'PATH' });
  });

  it('is downloaded once and then taken from the cache', async () => {
    const download = async (folder: string): Promise<{ path: string }> => {
      await writeFile(join(folder, 'downloaded'), CLI, { mode: 0o755 });
      return { path: join(folder, 'downloaded') };
    };
    const first = await find({ download });
    assert.equal(first.source, 'download');
    assert.ok(first.path.startsWith(folders.cache));
    assert.deepEqual(await find(), { path: first.path, source: 'cache' });
    assert.deepEqual(await readdir(join(folders.cache, 'temporal-cli')), [TEMPORAL_CLI_VERSION]);
  });

  it('is built with Go, once for all who start at the same time, and says so', async () => {
    const go = await program('go', BUILT.replace('printf', 'sleep 0.3; printf'));
    const said: string[] = [];
    const onProgress: TemporalCliOptions['onProgress'] = ({ message }) => void said.push(message);
    const found = await Promise.all([find({ onProgress }), find({ onProgress })]);
    assert.deepEqual(found.map(({ source }) => source).sort(), ['cache', 'go install']);
    assert.equal(existsSync(found[0].path), true);
    const calls = await readFile(`${go}.log`, 'utf8');
    assert.equal(calls, 'install github.com/temporalio/cli/cmd/temporal@v1.5.1\n');
    assert.match(said.join('\n'), /Downloading[^]*Building it with Go/);
    assert.match(said.join('\n'), new RegExp(`Waiting for process ${process.pid}`));
  });

  it('is built again where an earlier build was interrupted', async () => {
    const half = join(folders.cache, 'temporal-cli', 'unfinished-abc');
    await mkdir(half, { recursive: true });
    await writeFile(join(half, 'temporal'), 'half of it');
    await program('go', BUILT);
    assert.equal((await find()).source, 'go install');
    assert.equal(existsSync(half), false);
  });

  for (const [name, script, why] of [
    ['without Go', null, /there is no Go to build it with/],
    [
      'when Go fails',
      '#!/bin/sh\necho "no network" >&2; exit 1\n',
      /go install failed: .*no network/,
    ],
  ] as const) {
    it(`names the causes and all four remedies ${name}`, async () => {
      if (script !== null) await program('go', script);
      const searchPath = script === null ? [bin] : [bin, '/bin'];
      const config = { temporal: { variables: {}, cliPath: null }, searchPath, httpsProxy: null };
      await assert.rejects(find({ config }), (error: Error) => {
        assert.match(error.message, /the download failed: no such host/);
        assert.match(error.message, why);
        for (const remedy of ['TEMPORAL_CLI_PATH', 'TEMPORAL_ADDRESS', 'internet', 'install Go']) {
          assert.ok(error.message.includes(remedy), remedy);
        }
        return true;
      });
      assert.deepEqual(await readdir(join(folders.cache, 'temporal-cli')), []);
    });
  }
});

describe('the download', { skip: process.platform === 'win32' && 'uses shell scripts' }, () => {
  let server: Server;
  let url: string;
  let sha256: string;
  let answer: (response: ServerResponse) => void;
  beforeEach(async () => {
    await program('temporal', CLI);
    await promisify(execFile)('tar', ['-czf', join(bin, 'cli.tar.gz'), '-C', bin, 'temporal']);
    const packed = await readFile(join(bin, 'cli.tar.gz'));
    sha256 = createHash('sha256').update(packed).digest('hex');
    answer = (response) => response.end(packed);
    server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cli.tar.gz`;
    await mkdir(folders.cache, { recursive: true });
  });
  afterEach(() => server.close());

  it('is unpacked', async () => {
    const got = await downloadTemporalCli(folders.cache, null, { url, sha256 });
    assert.deepEqual(got, { path: join(folders.cache, 'temporal') });
    assert.equal(await readFile(join(folders.cache, 'temporal'), 'utf8'), CLI);
  });

  it('is not unpacked where its checksum is another', async () => {
    const wanted = 'f'.repeat(64);
    const got = await downloadTemporalCli(folders.cache, null, { url, sha256: wanted });
    assert.deepEqual(got, { failure: `${url} has the checksum ${sha256}, not ${wanted}` });
    assert.equal(existsSync(join(folders.cache, 'temporal')), false);
  });

  it('says what the server answered', async () => {
    answer = (response) => response.writeHead(404).end();
    const got = await downloadTemporalCli(folders.cache, null, { url, sha256 });
    assert.deepEqual(got, { failure: 'HTTP status 404' });
  });

  it('is of each platform of which a checksum is known, and of no other', () => {
    for (const platform of ['linux', 'darwin']) {
      for (const arch of ['x64', 'arm64']) {
        const archive = archiveFor(platform, arch);
        assert.match(archive?.sha256 ?? '', /^[0-9a-f]{64}$/);
        assert.match(
          archive?.url ?? '',
          /v1\.5\.1\/temporal_cli_1\.5\.1_[a-z]+_(amd|arm)64\.tar\.gz$/,
        );
      }
    }
    assert.equal(archiveFor('win32', 'x64'), null);
  });
});
