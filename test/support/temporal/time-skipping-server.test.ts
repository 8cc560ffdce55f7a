import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../../src/runtime/config.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { findExecutable } from '../../../src/runtime/local/executables.js';
import { findTimeSkippingServer } from './time-skipping-server.js';
import { createTestFolders } from '../stack.js';
import type { TestFolders } from '../stack.js';
import { startTimeSkipping } from './time-skipping.js';

let folders: TestFolders;
before(async () => {
  folders = await createTestFolders();
});
after(() => folders.remove());

describe('time-skipping server', () => {
  it('lets 60 days pass at once', { timeout: 360_000 }, async (t) => {
    const config = loadConfig();
    const server = await findTimeSkippingServer({ config, folders: userFolders(config) });
    if ('missing' in server) return t.skip(`no time-skipping server: ${server.missing}`);
    const env = await startTimeSkipping(server.path);
    try {
      const begun = await env.currentTimeMs();
      await env.sleep('60d');
      assert.ok((await env.currentTimeMs()) - Number(begun) >= 60 * 24 * 3600 * 1000);
    } finally {
      await env.teardown();
    }
  });

  it('says that there is no Java', async () => {
    const server = await findTimeSkippingServer({ config: { searchPath: [] }, folders });
    assert.match('missing' in server ? server.missing : '', /no Java|Unix shell/);
  });

  it('says that there is no Maven to fetch it with', async (t) => {
    const java = await findExecutable('java', loadConfig().searchPath);
    if (java === null) return t.skip('there is no Java');
    const bin = join(folders.data, 'bin');
    await mkdir(bin, { recursive: true });
    await symlink(java, join(bin, 'java'));
    const server = await findTimeSkippingServer({ config: { searchPath: [bin] }, folders });
    assert.match('missing' in server ? server.missing : '', /no Maven/);
  });
});
