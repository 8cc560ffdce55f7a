import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../../src/contracts/names.js';
import { loadConfig } from '../../../src/runtime/config.js';
import {
  ensureSearchAttributes,
  SEARCH_ATTRIBUTE_TYPES,
} from '../../../src/runtime/search-attributes.js';
import {
  externalTemporal,
  startTemporalServer,
} from '../../../src/runtime/local/temporal/server.js';
import type { TemporalServer } from '../../../src/runtime/local/temporal/server.js';
import { findTemporalCli } from '../../../src/runtime/local/temporal/cli.js';
import { userFolders } from '../../../src/runtime/paths.js';
import { createTestFolders, testConfig, uniqueName } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';
import { portsOf, statusOf, untilStatus } from '../http-ports.js';
import { untilGone } from '../../support/processes/child-processes.js';

let folders: TestFolders;
let config: ReturnType<typeof testConfig>;
before(async () => {
  folders = await createTestFolders();
  const cli = await findTemporalCli({ config: testConfig(), folders: userFolders(loadConfig()) });
  config = { ...testConfig(), temporal: { variables: {}, cliPath: cli.path } };
});
after(() => folders.remove());

async function withServer(
  options: { headless: boolean; dbFile: string | null },
  work: (server: TemporalServer, connection: Connection) => Promise<void>,
): Promise<void> {
  const server = await startTemporalServer({ config, folders, ...options });
  try {
    const connection = await Connection.connect(server.connectionOptions);
    await work(server, connection).finally(() => connection.close());
  } finally {
    await server.stop();
  }
}

async function registered(connection: Connection): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  return Object.keys(customAttributes ?? {}).filter((name) => name in SEARCH_ATTRIBUTE_TYPES);
}

describe('Temporal dev server', { timeout: 120_000 }, () => {
  it('takes workflows with our search attributes as soon as it is given', async () => {
    let pid = 0;
    await withServer({ headless: true, dbFile: null }, async (server, connection) => {
      pid = server.pid ?? 0;
      assert.equal(server.uiUrl, null);
      assert.deepEqual(
        (await registered(connection)).sort(),
        Object.values(SEARCH_ATTRIBUTES).sort(),
      );
      const client = new Client({ connection, namespace: server.namespace });
      const phase = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);
      const failed = defineSearchAttributeKey(SEARCH_ATTRIBUTES.failed, SearchAttributeType.INT);
      const handle = await client.workflow.start('nobodyRunsThis', {
        taskQueue: uniqueName('queue'),
        workflowId: uniqueName('workflow'),
        typedSearchAttributes: [
          { key: phase, value: 'plan' },
          { key: failed, value: 3 },
        ],
      });
      assert.equal((await handle.describe()).status.name, 'RUNNING');
    });
    await untilGone(pid);
  });

  it('has a Web UI and keeps its workflows in a file when it is asked to', async () => {
    const dbFile = join(folders.data, 'temporal', 'dev.sqlite');
    const workflowId = uniqueName('workflow');
    await withServer({ headless: false, dbFile }, async (server, connection) => {
      assert.equal((await fetch(server.uiUrl ?? '')).status, 200);
      const client = new Client({ connection });
      await client.workflow.start('nobodyRunsThis', { taskQueue: uniqueName('queue'), workflowId });
    });
    // A write-ahead log, by the version numbers in the header of SQLite's file format.
    assert.deepEqual([...(await readFile(dbFile)).subarray(18, 20)], [2, 2]);
    await withServer({ headless: true, dbFile }, async (_, connection) => {
      const handle = new Client({ connection }).workflow.getHandle(workflowId);
      assert.equal((await handle.describe()).status.name, 'RUNNING');
    });
  });

  it(
    'lets no page of a browser start a workflow, while its Web UI works',
    { skip: process.platform === 'linux' ? false : 'the ports of a process are read from /proc' },
    async () => {
      await withServer({ headless: false, dbFile: null }, async (server, connection) => {
        const workflowId = uniqueName('workflow');
        const path = `/namespaces/default/workflows/${workflowId}`;
        const uiPort = Number(new URL(server.uiUrl ?? '').port);
        const statuses: number[] = [];
        for (const port of await portsOf(server.pid ?? 0)) {
          if (port === uiPort) continue;
          for (const headers of [
            {},
            { host: 'evil.example' },
            { host: `127.0.0.1:${port}`, origin: 'http://evil.example' },
          ]) {
            const status = await statusOf(port, path, {
              method: 'POST',
              headers: { ...headers, 'content-type': 'text/plain' },
              body: JSON.stringify({ workflowType: { name: 'x' }, taskQueue: { name: 'y' } }),
            });
            if (status !== null) statuses.push(status);
          }
        }
        assert.ok(statuses.includes(403), `the HTTP API answers ${statuses.join()}`);
        assert.ok(!statuses.some((status) => status < 300), statuses.join());
        const handle = new Client({ connection }).workflow.getHandle(workflowId);
        await assert.rejects(handle.describe(), { name: 'WorkflowNotFoundError' });
        // The Web UI answers 503 until the server is ready for it.
        await untilStatus(uiPort, '/api/v1/namespaces/default/workflows', 200);
      });
    },
  );

  it('says what the server wrote when it does not start', async () => {
    const dbFile = join(folders.data, 'taken');
    await withServer({ headless: true, dbFile }, async () => undefined);
    const folder = { ...folders, state: folders.state };
    await assert.rejects(
      startTemporalServer({ config, folders: folder, headless: true, dbFile: folders.data }),
      /The Temporal dev server ended with exit code \d+\.\n.+/s,
    );
  });
});

describe('search attributes of a server that is not ours', { timeout: 120_000 }, () => {
  it('are registered where they are missing, and left where they are', async () => {
    await withServer({ headless: true, dbFile: null }, async (_, connection) => {
      const missing = [SEARCH_ATTRIBUTES.list, SEARCH_ATTRIBUTES.pending];
      await connection.operatorService.removeSearchAttributes({
        namespace: 'default',
        searchAttributes: missing,
      });
      assert.equal((await registered(connection)).length, 4);
      await ensureSearchAttributes(connection, 'default');
      await ensureSearchAttributes(connection, 'default');
      assert.equal((await registered(connection)).length, 6);
    });
  });

  it('come with the commands to run where we may not register them', async () => {
    const refused = Object.assign(new Error('7 PERMISSION_DENIED: not yours'), { code: 7 });
    const operatorService = {
      listSearchAttributes: () => Promise.resolve({ customAttributes: { ConsentryPhase: 2 } }),
      addSearchAttributes: () => Promise.reject(refused),
    };
    const connection = { operatorService } as unknown as Connection;
    await assert.rejects(ensureSearchAttributes(connection, 'prod'), (error: Error) => {
      assert.match(error.message, /namespace prod .*not yours/);
      assert.match(
        error.message,
        /temporal operator search-attribute create --namespace prod --name ConsentryFailed --type Int/,
      );
      assert.doesNotMatch(error.message, /ConsentryPhase/);
      return true;
    });
  });
});

describe('configured Temporal server', () => {
  it('is none where nothing names one', () => {
    assert.equal(externalTemporal(loadConfig({ HOME: folders.data })), null);
  });

  it('names the file when temporal.toml is empty', async () => {
    const file = join(folders.data, 'temporal.toml');
    await mkdir(folders.data, { recursive: true });
    await writeFile(file, '');
    const config = loadConfig({ HOME: folders.data, TEMPORAL_CONFIG_FILE: file });
    assert.throws(
      () => externalTemporal(config),
      (error: Error) => error.name === 'ConfigError' && error.message.includes(file),
    );
  });

  it('comes with its namespace, and with TLS for an API key', () => {
    const found = externalTemporal(
      loadConfig({
        HOME: folders.data,
        TEMPORAL_ADDRESS: 'ns.example:7233',
        TEMPORAL_NAMESPACE: 'ns.acct',
        TEMPORAL_API_KEY: 'secret',
      }),
    );
    assert.equal(found?.namespace, 'ns.acct');
    assert.equal(found.connectionOptions.address, 'ns.example:7233');
    assert.equal(found.connectionOptions.apiKey, 'secret');
    assert.ok(found.connectionOptions.tls);
  });

  it('is used instead of starting one, and left alone', async () => {
    const named = loadConfig({ HOME: folders.data, TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const server = await startTemporalServer({
      config: named,
      folders,
      headless: true,
      dbFile: null,
    });
    assert.deepEqual(
      [server.address, server.namespace, server.builtIn],
      ['127.0.0.1:1', 'default', false],
    );
    await server.stop();
  });
});
