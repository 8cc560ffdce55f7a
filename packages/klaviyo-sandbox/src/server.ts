import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { SandboxAccount } from './account/account.js';
import { dateHeader, jsonAnswer, send } from './api/http/answering.js';
import { failureOf } from './api/http/errors.js';
import { endpointOf } from './api/operation.js';
import { OPERATIONS } from './api/operations.js';
import { REVISIONS } from './api/revisions/forms.js';
import { operationAt } from './api/revisions/operations.js';
import { apiRoutes } from './api/routes.js';
import { controlRoutes } from './control/routes.js';
import { exchangesFolder } from './settings/environment.js';
import { ExchangeLog } from './exchanges.js';
import { settingsFrom, type SandboxOptions } from './settings/options.js';

/** A running simulated Klaviyo. */
export interface Sandbox {
  /** Base URL without a trailing slash, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly apiKey: string;
  /** The account behind the API: everything that the control surface can do, as methods. */
  readonly account: SandboxAccount;
  /** Stops the server and drops all pending changes. */
  close(): Promise<void>;
}

/**
 * Starts a simulated Klaviyo on its own port.
 *
 * @throws RangeError for an option out of its range
 * @throws Error `EADDRINUSE` if the port is taken
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const settings = settingsFrom(options);
  const endpoints = OPERATIONS.flatMap((operation) => [
    endpointOf(operation),
    ...REVISIONS.flatMap((date) => operationAt(operation, date)?.name ?? []),
  ]);
  const account = new SandboxAccount(settings, new Set(endpoints));
  const app = new Hono<{ Bindings: HttpBindings }>({ strict: false });
  const folder = options.exchanges ?? exchangesFolder();
  const exchanges = folder === undefined ? null : new ExchangeLog(folder);
  app.route('/', apiRoutes(account, exchanges, options.onRequest));
  app.route('/sandbox', controlRoutes(account));
  app.onError((error) => send(jsonAnswer(500, failureOf(error).body(), dateHeader(account.clock))));
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return {
    url: `http://${host}:${port}`,
    apiKey: settings.apiKey,
    account,
    async close() {
      account.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      exchanges?.close();
    },
  };
}
