import { join } from 'node:path';
import { DEFAULT_LISTS, SANDBOX_KEY, startSandbox } from 'klaviyo-sandbox';
import { loadConfig, type Config } from '../../runtime/config.js';
import { clearDevState, readDevState, writeDevState } from '../../runtime/local/dev-state.js';
import { Lifecycle } from '../../runtime/lifecycle.js';
import { userFolders } from '../../runtime/paths.js';
import { startDatabase } from '../../runtime/local/postgres/postgres.js';
import { progressLines } from '../../runtime/progress.js';
import { startTemporalServer } from '../../runtime/local/temporal/server.js';
import { UsageError } from '../ended.js';
import type { Output } from '../terminal/terminal.js';
import { startWorker, type KlaviyoAccess } from './worker-process.js';

/** Runs the local stack until a signal stops it or its worker fails. */
export async function runDev(sandbox: boolean, output: Output): Promise<void> {
  const config = loadConfig();
  if (!sandbox) requireKey(config);
  const running = await readDevState(userFolders(config));
  if (running !== null) {
    throw new UsageError(
      `A dev stack is already running as process ${running.owner.pid}: use it, or stop it first.`,
    );
  }
  const lifecycle = new Lifecycle();
  lifecycle.stopOnSignals(() => output.note('Stopping...'));
  try {
    await runStack(config, sandbox, lifecycle, output);
  } finally {
    await lifecycle.stop();
  }
}

/** Ends only when the worker does: on a signal, or when it fails. */
async function runStack(
  config: Config,
  sandbox: boolean,
  lifecycle: Lifecycle,
  output: Output,
): Promise<void> {
  const folders = userFolders(config);
  output.note('Starting PostgreSQL');
  const database = await startDatabase({ databaseUrl: config.databaseUrl, folders, keep: true });
  lifecycle.onStop('PostgreSQL', () => database.stop());
  output.note('Starting Temporal');
  const temporal = await startTemporalServer({
    config,
    folders,
    headless: false,
    dbFile: join(folders.data, 'temporal', 'temporal.db'),
    onProgress: progressLines(process.stderr),
  });
  lifecycle.onStop('Temporal', () => temporal.stop());
  const klaviyo = sandbox ? await startOwnSandbox(lifecycle) : requireKey(config);
  const worker = await startWorker({
    temporal,
    databaseUrl: database.url,
    role: 'all',
    klaviyo,
    account: null,
    onWait: (why) => output.note(`Waiting for Klaviyo: ${why}`),
    config,
  });
  lifecycle.onStop('worker', () => worker.stop(), 60_000);
  await writeDevState(folders, {
    databaseUrl: database.url,
    temporalAddress: temporal.address,
    temporalNamespace: temporal.namespace,
    uiUrl: temporal.uiUrl,
    sandboxUrl: sandbox ? klaviyo.baseUrl : null,
    account: worker.accountId,
  });
  lifecycle.onStop('dev state', () => clearDevState(folders));
  output.event(
    {
      event: 'ready',
      databaseUrl: database.url,
      temporalAddress: temporal.address,
      temporalNamespace: temporal.namespace,
      webUi: temporal.uiUrl,
      klaviyo: klaviyo.baseUrl,
      account: worker.accountId,
      lists: sandbox ? DEFAULT_LISTS : null,
    },
    [
      '',
      `PostgreSQL:  ${database.url}`,
      `Temporal:    ${temporal.address}, namespace ${temporal.namespace}`,
      ...(temporal.uiUrl === null ? [] : [`Web UI:      ${temporal.uiUrl}`]),
      `Klaviyo:     ${klaviyo.baseUrl}${sandbox ? ' (simulated)' : ''}, account ${worker.accountId}`,
      ...(sandbox ? DEFAULT_LISTS.map(({ id, name }) => `  list ${id}  ${name}`) : []),
      '',
      `Ready. In another terminal: npx consentry check --list ${sandbox ? 'Single' : 'ID'}. Ctrl-C stops everything.`,
    ].join('\n'),
  );
  await worker.ended;
}

async function startOwnSandbox(lifecycle: Lifecycle): Promise<KlaviyoAccess> {
  const sandbox = await startSandbox({
    apiKey: SANDBOX_KEY,
    lists: [...DEFAULT_LISTS],
    delays: 'fast',
  });
  lifecycle.onStop('sandbox', () => sandbox.close());
  return { apiKey: SANDBOX_KEY, baseUrl: sandbox.url };
}

function requireKey({ klaviyo: { apiKey, baseUrl } }: Config): KlaviyoAccess {
  if (apiKey !== null) return { apiKey, baseUrl };
  throw new UsageError(
    'KLAVIYO_API_KEY is not set: the worker needs a private API key (it begins with pk_) to talk ' +
      'to Klaviyo. Set it, or use "consentry dev --sandbox" to try things without an account.',
  );
}
