import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { startVerb } from '../../../src/demo/child.js';
import { SandboxControl } from '../../../src/demo/sandbox-control.js';
import { createTestDatabase, testTemporal, uniqueName } from '../stack.js';
import { verbEnvironment } from './verb-environment.js';

export interface VerbStack {
  /** Empty; for sources and reports. */
  readonly folder: string;
  readonly databaseUrl: string;
  readonly sandbox: SandboxControl;
  /** Where the sandbox has the API, and its private key. */
  readonly klaviyo: { readonly url: string; readonly apiKey: string };
  /** Writes a source. @returns its path */
  source(name: string, lines: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/**
 * What the verbs and the examples need, as `consentry` runs it: a sandbox and a worker in processes of their own,
 * named in this process's environment. The Temporal namespace is its own too, since every worker
 * of the product takes the same task queue.
 *
 * @param sandboxFlags further flags of the sandbox
 */
export async function startVerbStack(sandboxFlags: readonly string[] = []): Promise<VerbStack> {
  const folder = await mkdtemp(join(tmpdir(), 'consentry-test-'));
  const database = await createTestDatabase();
  const { address } = await testTemporal();
  const namespace = await createNamespace(address);
  const environment = {
    ...(await verbEnvironment(folder, database)),
    TEMPORAL_NAMESPACE: namespace,
  };
  Object.assign(process.env, environment);
  const sandbox = await startVerb(['sandbox', '--delays', 'fast', ...sandboxFlags], {}, folder);
  const { url, apiKey } = sandbox.ready as { url: string; apiKey: string };
  const worker = await startVerb(
    ['worker'],
    { ...environment, KLAVIYO_API_KEY: apiKey, KLAVIYO_BASE_URL: url },
    folder,
  );
  return {
    folder,
    databaseUrl: database.url,
    klaviyo: { url, apiKey },
    sandbox: new SandboxControl(url),
    async source(name, lines) {
      const path = join(folder, name);
      await writeFile(path, `${lines.join('\n')}\n`);
      return path;
    },
    async stop() {
      await worker.process.stop();
      await sandbox.process.stop();
      await database.drop();
      await rm(folder, { recursive: true });
    },
  };
}

/** The server's parts hear of a new namespace one after the other. */
async function createNamespace(address: string): Promise<string> {
  const namespace = uniqueName('verbs');
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    for (;;) {
      try {
        await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
        return namespace;
      } catch {
        await delay(100);
      }
    }
  } finally {
    await connection.close();
  }
}
