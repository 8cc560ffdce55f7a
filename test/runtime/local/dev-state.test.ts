import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ConfigError, loadConfig } from '../../../src/runtime/config.js';
import type { Config } from '../../../src/runtime/config.js';
import {
  clearDevState,
  NoEnvironmentError,
  readDevState,
  resolveEnvironment,
  writeDevState,
} from '../../../src/runtime/local/dev-state.js';
import { createTestFolders } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';
import {
  firstLine,
  kill,
  runModule,
  runtimeModule,
} from '../../support/processes/child-processes.js';

let folders: TestFolders;
beforeEach(async () => {
  folders = await createTestFolders();
});
afterEach(() => folders.remove());

const running = {
  databaseUrl: 'postgres://consentry:secret@127.0.0.1:5433/consentry',
  temporalAddress: '127.0.0.1:7234',
  temporalNamespace: 'default',
  uiUrl: 'http://127.0.0.1:8234',
  sandboxUrl: 'http://127.0.0.1:9234',
  account: 'SbxAcc',
};

function environment(variables: Record<string, string>): Config {
  return loadConfig({ HOME: folders.data, ...variables });
}

describe('dev state', () => {
  it('names a folder that is none', { skip: process.platform === 'win32' }, async () => {
    for (const work of [
      readDevState({ state: '/dev/null' }),
      writeDevState({ state: '/dev/null' }, running),
    ]) {
      await assert.rejects(work, (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, /^\/dev\/null: it is not a folder\. Set CONSENTRY_STATE_DIR/);
        return true;
      });
    }
  });

  it('tells other processes of the user, and nobody else, where the dev stack is', async () => {
    await writeDevState(folders, running);
    const { owner, ...addresses } = (await readDevState(folders)) ?? assert.fail('no state');
    assert.deepEqual(addresses, running);
    assert.equal(owner.pid, process.pid);
    assert.deepEqual(await readdir(folders.state), ['dev.json']);
    if (process.platform === 'win32') return;
    assert.equal((await stat(join(folders.state, 'dev.json'))).mode & 0o077, 0);
  });

  it('is gone when the dev stack was stopped', async () => {
    await writeDevState(folders, running);
    await clearDevState(folders);
    assert.equal(await readDevState(folders), null);
    await clearDevState(folders);
  });

  it('is ignored when the dev stack was killed', async () => {
    const { state } = folders;
    const owner = runModule(`
      import { writeDevState } from ${runtimeModule('local/dev-state')};
      await writeDevState(${JSON.stringify({ state })}, ${JSON.stringify(running)});
      console.log('written');
      setInterval(() => undefined, 1000);`);
    await firstLine(owner);
    assert.equal((await readDevState(folders))?.owner.pid, owner.pid);
    // Not ours, so it stays.
    await clearDevState(folders);
    assert.notEqual(await readDevState(folders), null);
    await kill(owner, 'SIGKILL');
    assert.equal(await readDevState(folders), null);
  });

  for (const [name, content] of [
    ['half a file', '{"databaseUrl":'],
    ['the form of another version', '{"version":2,"pid":1}'],
  ] as const) {
    it(`is ignored when it is ${name}`, async () => {
      await writeDevState(folders, running);
      await writeFile(join(folders.state, 'dev.json'), content);
      assert.equal(await readDevState(folders), null);
    });
  }

  it('holds the written file only in its final form', async () => {
    await Promise.all(Array.from({ length: 5 }, () => writeDevState(folders, running)));
    assert.ok(JSON.parse(await readFile(join(folders.state, 'dev.json'), 'utf8')));
  });
});

describe('environment of a verb', () => {
  const databaseUrl = 'postgres://me@db.example/ledger';

  it('is the running dev stack where nothing is set', async () => {
    await writeDevState(folders, running);
    const found = await resolveEnvironment(environment({}), folders);
    assert.deepEqual(found, {
      databaseUrl: running.databaseUrl,
      temporal: {
        connectionOptions: { address: running.temporalAddress },
        namespace: 'default',
      },
      uiUrl: running.uiUrl,
      sandboxUrl: running.sandboxUrl,
      account: running.account,
    });
  });

  it('is what the environment names, also when a dev stack runs', async () => {
    await writeDevState(folders, running);
    const config = environment({
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'consent',
    });
    const found = await resolveEnvironment(config, folders);
    assert.equal(found.databaseUrl, databaseUrl);
    assert.equal(found.temporal.connectionOptions.address, 'temporal.example:7233');
    assert.equal(found.temporal.namespace, 'consent');
    assert.deepEqual([found.uiUrl, found.sandboxUrl, found.account], [null, null, null]);
  });

  it('takes the server from a profile in temporal.toml', async () => {
    const file = join(folders.state, 'temporal.toml');
    await writeDevState(folders, running);
    await writeFile(file, '[profile.cloud]\naddress = "ns.example:7233"\nnamespace = "ns"\n');
    const config = environment({
      DATABASE_URL: databaseUrl,
      TEMPORAL_CONFIG_FILE: file,
      TEMPORAL_PROFILE: 'cloud',
    });
    const { temporal } = await resolveEnvironment(config, folders);
    assert.deepEqual(
      [temporal.connectionOptions.address, temporal.namespace],
      ['ns.example:7233', 'ns'],
    );
  });

  const missing: [given: Record<string, string>, said: RegExp][] = [
    [{}, /"npx consentry dev", or set DATABASE_URL .* and TEMPORAL_ADDRESS/],
    [{ DATABASE_URL: databaseUrl }, /or set TEMPORAL_ADDRESS to/],
    [{ TEMPORAL_ADDRESS: 'temporal.example:7233' }, /or set DATABASE_URL to/],
  ];
  for (const [given, said] of missing) {
    it(`says what is missing beside ${Object.keys(given).join() || 'nothing'}`, async () => {
      await assert.rejects(resolveEnvironment(environment(given), folders), (error) => {
        assert.ok(error instanceof NoEnvironmentError);
        assert.match(error.message, said);
        return true;
      });
    });
  }
});
