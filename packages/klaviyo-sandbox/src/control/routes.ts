import { Hono } from 'hono';
import type { SandboxAccount } from '../account/account.js';
import { isLoopback } from '../loopback.js';
import type { ControlApp } from './body.js';
import { addDataRoutes } from './data.js';
import { addFaultRoutes } from './faults.js';
import { addPeopleRoutes } from './people.js';
import { addRequestRoutes } from './requests.js';
import { addSettingRoutes } from './settings.js';
import { addTimeRoutes } from './time.js';

/**
 * What a test or a demonstration can do outside Klaviyo's API. No key, loopback only; JSON in and
 * out unless NDJSON is noted. An error is a 400 with `{ "error": ... }`. `GET /sandbox` lists every
 * call; the README describes them.
 */
export function controlRoutes(account: SandboxAccount): ControlApp {
  const app: ControlApp = new Hono({ strict: false });
  app.use('*', async (context, next) => {
    if (isLoopback(context.env.incoming.socket.remoteAddress)) return next();
    return context.json({ error: 'The control surface only answers loopback addresses.' }, 403);
  });
  app.onError((error, context) => {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    return context.json({ error: error.message }, 400);
  });
  addDataRoutes(app, account);
  addPeopleRoutes(app, account);
  addRequestRoutes(app, account);
  addFaultRoutes(app, account);
  addSettingRoutes(app, account);
  addTimeRoutes(app, account);
  const calls = callsOf(app);
  app.get('/', (context) => context.json({ calls }));
  app.all('*', ({ req, json }) =>
    json(
      {
        error: `There is no control call ${req.method} ${req.path}; GET /sandbox lists all of them.`,
      },
      404,
    ),
  );
  return app;
}

/** Method and path of every control call. */
export function callsOf(app: ControlApp): string[] {
  return app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} /sandbox${path.replace(/:(\w+)/g, '{$1}')}`);
}
