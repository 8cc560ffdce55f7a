import type { SandboxAccount } from '../account/account.js';
import { TRAIL_LENGTH } from '../account/requests/request-trail.js';
import { countOf, type ControlApp } from './body.js';
import { ndjson } from './ndjson.js';

/** Requests to the sandbox, and its requests to webhooks. */
export function addRequestRoutes(app: ControlApp, account: SandboxAccount): void {
  app.get('/requests', (context) => context.json({ endpoints: account.requests() }));
  app.delete('/requests', (context) => {
    account.forgetRequests();
    return context.json({ endpoints: [] });
  });
  app.get('/requests/log', (context) => {
    const limit = countOf(context, 'limit', TRAIL_LENGTH);
    return context.json({ requests: account.trail.latest(limit) });
  });
  app.get('/requests/subscribed', () => ndjson(account.subscribed()));
  app.get('/webhooks/deliveries', (context) =>
    context.json({ webhooks: account.webhooks.deliveries() }),
  );
}
