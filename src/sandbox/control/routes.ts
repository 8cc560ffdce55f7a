import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { Person, SandboxAccount } from '../account/account.js';
import type { Fault } from '../account/faults.js';
import type { SeedProfile } from '../account/seeding.js';
import type { ListOptions } from '../options.js';
import { linesOf, ndjson } from './ndjson.js';

type ControlApp = Hono<{ Bindings: HttpBindings }>;

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;

/**
 * What a test or a demonstration may do behind Klaviyo's back. No key, loopback only; JSON in and
 * out unless NDJSON is said. A mistake is a 400 with `{ "error": ... }`.
 *
 * | call | body | answer |
 * | --- | --- | --- |
 * | `POST /sandbox/seed` | NDJSON of `SeedProfile` | `{ profiles }` |
 * | `POST /sandbox/lists` | `{ id?, name, opt_in_process? }` | `{ id, name, opt_in_process }` |
 * | `GET /sandbox/truth` | | NDJSON of `TruthLine`, one a profile |
 * | `GET /sandbox/messages` | | NDJSON of `MessageLine`: double opt-in messages |
 * | `GET /sandbox/requests` | | `{ endpoints: [...] }`, counters by endpoint and status |
 * | `GET /sandbox/requests/subscribed` | | NDJSON of `SubscribedLine` |
 * | `POST /sandbox/click` | `{ email?, phone_number?, list_id? }` | `{ clicked }` |
 * | `POST /sandbox/unsubscribe` | `{ email }` | `{}` |
 * | `POST /sandbox/stop-sms` | `{ phone_number }` | `{}` |
 * | `GET /sandbox/faults` | | `{ faults: [...] }`, those that have not happened yet |
 * | `POST /sandbox/faults` | `Fault` or an array of them | `{ pending }` |
 * | `DELETE /sandbox/faults` | | `{ pending: 0 }`; a revoked key works again |
 * | `POST /sandbox/clock/advance` | `{ ms }`, Klaviyo's time | `{}` |
 * | `POST /sandbox/clicks` | `{ share, smsShare? }`, 0 to 1 | `{}` |
 */
export function controlRoutes(account: SandboxAccount): ControlApp {
  const app: ControlApp = new Hono({ strict: false });
  app.use('*', async (context, next) => {
    if (LOOPBACK.test(context.env.incoming.socket.remoteAddress ?? '')) return next();
    return context.json({ error: 'The control surface answers loopback addresses only.' }, 403);
  });
  app.onError((error, context) => {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    return context.json({ error: error.message }, 400);
  });
  addDataRoutes(app, account);
  addPersonRoutes(app, account);
  addFaultRoutes(app, account);
  app.post('/clock/advance', async (context) => {
    const { ms } = await bodyOf<{ ms: number }>(context);
    account.advance(ms);
    return context.json({});
  });
  app.post('/clicks', async (context) => {
    const { share, smsShare } = await bodyOf<{ share: number; smsShare?: number }>(context);
    account.setClicks(share, smsShare);
    return context.json({});
  });
  app.all('*', (context) =>
    context.json(
      { error: `There is no control call ${context.req.method} ${context.req.path}` },
      404,
    ),
  );
  return app;
}

function addDataRoutes(app: ControlApp, account: SandboxAccount): void {
  app.post('/seed', async (context) => {
    let profiles = 0;
    for await (const { number, text } of linesOf(context.req.raw.body ?? emptyBody())) {
      try {
        account.seed(JSON.parse(text) as SeedProfile);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
        throw new RangeError(`line ${number}: ${error.message}`, { cause: error });
      }
      profiles += 1;
    }
    return context.json({ profiles });
  });
  app.post('/lists', async (context) => {
    const { id, name, optIn } = account.createList(await bodyOf<ListOptions>(context));
    return context.json({ id, name, opt_in_process: optIn }, 201);
  });
  app.get('/truth', () => ndjson(account.truth()));
  app.get('/messages', () => ndjson(account.messages()));
  app.get('/requests', (context) => context.json({ endpoints: account.requests() }));
  app.get('/requests/subscribed', () => ndjson(account.subscribed()));
}

function addPersonRoutes(app: ControlApp, account: SandboxAccount): void {
  app.post('/click', async (context) => {
    const who = await bodyOf<Person & { list_id?: string | null }>(context);
    return context.json({ clicked: account.click(who) });
  });
  app.post('/unsubscribe', async (context) => {
    account.unsubscribe(await bodyOf<Person>(context));
    return context.json({});
  });
  app.post('/stop-sms', async (context) => {
    account.stopSms(await bodyOf<Person>(context));
    return context.json({});
  });
}

function addFaultRoutes(app: ControlApp, account: SandboxAccount): void {
  app.get('/faults', (context) => context.json({ faults: account.faults.pending() }));
  app.post('/faults', async (context) => {
    const faults = await bodyOf<Fault | Fault[]>(context);
    for (const fault of Array.isArray(faults) ? faults : [faults]) account.addFault(fault);
    return context.json({ pending: account.faults.pending().length }, 201);
  });
  app.delete('/faults', (context) => {
    account.clearFaults();
    return context.json({ pending: 0 });
  });
}

/** @throws RangeError for anything but an object (or array of them), SyntaxError for no JSON */
async function bodyOf<T extends object>(context: Context): Promise<T> {
  const body = await context.req.json<T | null>();
  if (typeof body === 'object' && body !== null) return body;
  throw new RangeError('the body must be a JSON object');
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
