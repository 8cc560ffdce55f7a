import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { SandboxAccount } from '../account/account.js';
import type { ExchangeLog } from '../exchanges.js';
import type { SandboxOptions } from '../settings/options.js';
import { dateHeader, jsonAnswer, send, type SandboxContext } from './http/answering.js';
import { framework, type ApiError } from './http/errors.js';
import type { Operation } from './operation.js';
import { OPERATIONS } from './operations.js';
import { RateLimiter } from './http/rate-limits.js';
import { exchangeOf, requestHook, serve } from './serving.js';

/** The simulated API: every operation behind the same gate, faults and counters. */
export function apiRoutes(
  account: SandboxAccount,
  exchanges: ExchangeLog | null,
  onRequest?: SandboxOptions['onRequest'],
): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>({ strict: false });
  const { clock, settings } = account;
  const limiter = new RateLimiter(clock, settings.rateLimitFactor);
  const hook = onRequest === undefined ? null : requestHook(onRequest);
  const serving = { account, exchanges, hook, limiter };
  const refuse = (context: SandboxContext, error: ApiError): Response => {
    const headers = { ...error.headers, ...dateHeader(clock) };
    const answer = jsonAnswer(error.status, error.body(), headers);
    exchanges?.add(exchangeOf(null, context, undefined, answer, null));
    return send(answer);
  };
  app.use('/api/*', async (context, next) => {
    const [startedAt, started] = [Date.now(), performance.now()];
    await next();
    const ms = performance.now() - started;
    account.trail.add(context.req.raw, startedAt, ms, context.res.status);
  });
  for (const operation of OPERATIONS) {
    const headers = { allow: allowedAt(operation.path), vary: 'Accept, Accept-Language, Cookie' };
    app.on(operation.method, routeOf(operation.path), (context) =>
      serve(operation, headers, context, serving),
    );
  }
  for (const path of new Set(OPERATIONS.map(({ path }) => path))) {
    const allow = allowedAt(path);
    // Not recorded; an empty answer that lists the allowed methods.
    app.on('OPTIONS', routeOf(path), () =>
      send(jsonAnswer(200, undefined, { allow, ...dateHeader(clock) })),
    );
    // Documented status; the wording is the web framework's.
    app.all(routeOf(path), (context) => {
      const detail = `Method "${context.req.method}" not allowed.`;
      return refuse(context, framework(405, 'method_not_allowed', detail, detail, { allow }));
    });
  }
  // Documented status; the wording is ours.
  app.all('/api/*', (context) => {
    const detail = `The path ${context.req.path} could not be found.`;
    return refuse(context, framework(404, 'not_found', 'Not found.', detail));
  });
  return app;
}

const routeOf = (path: string): string => path.replace(/\{\w+\}/, ':id');

/** Methods of a path, as recorded answers list them in `allow`. */
function allowedAt(path: Operation['path']): string {
  const route = routeOf(path);
  const methods = OPERATIONS.filter((operation) => routeOf(operation.path) === route).map(
    ({ method }) => method,
  );
  return [...methods.sort(), ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
