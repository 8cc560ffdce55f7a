import type { Person, SandboxAccount } from '../account/account.js';
import { populate, seedLines } from '../people/filling.js';
import type { Population } from '../people/generator.js';
import type { ListOptions, SegmentOptions } from '../settings/options.js';
import { bodyOf, checkFields, type ControlApp } from './body.js';
import { ndjson } from './ndjson.js';

/** People, lists and their true state. */
export function addDataRoutes(app: ControlApp, account: SandboxAccount): void {
  app.post('/seed', async (context) => {
    const profiles = await seedLines(account, context.req.raw.body ?? emptyBody());
    return context.json({ profiles });
  });
  app.post('/generate', async (context) => {
    const population = await bodyOf<Population>(context);
    return context.json({ profiles: await populate(account, population) });
  });
  app.post('/lists', async (context) => {
    const { id, name, optIn } = account.createList(await bodyOf<ListOptions>(context));
    return context.json({ id, name, opt_in_process: optIn }, 201);
  });
  addSegmentRoutes(app, account);
  app.get('/truth', (context) => {
    const { email, phone_number } = context.req.query();
    if (email === undefined && phone_number === undefined) return ndjson(account.truth());
    const who: Person = {
      ...(email === undefined ? {} : { email }),
      ...(phone_number === undefined ? {} : { phone_number }),
    };
    const truths = account.truthsFor(who);
    if (truths.length > 0) return ndjson(truths);
    return context.json({ error: `no profile has ${JSON.stringify(who)}` }, 404);
  });
  app.get('/messages', (context) => {
    const to = context.req.query('to');
    const messages = account.messages();
    return ndjson(to === undefined ? messages : sentTo(messages, to));
  });
  app.get('/exports/:id', (context) => {
    const file = account.exporting.job(context.req.param('id'))?.file;
    if (file === undefined || file === null)
      return context.json({ error: 'there is no such file' }, 404);
    return new Response(Buffer.from(file), { headers: { 'content-type': 'application/gzip' } });
  });
}

function addSegmentRoutes(app: ControlApp, account: SandboxAccount): void {
  app.post('/segments', async (context) => {
    const { id, name } = account.createSegment(await bodyOf<SegmentOptions>(context));
    return context.json({ id, name }, 201);
  });
  app.post('/segments/:id/members', async (context) => {
    const moves = await bodyOf<{ enter?: Person[]; leave?: Person[] }>(context);
    checkFields(moves, ['enter', 'leave']);
    account.moveInSegment(context.req.param('id'), moves);
    return context.json({});
  });
  app.delete('/segments/:id', (context) => {
    account.deleteSegment(context.req.param('id'));
    return context.json({});
  });
}

function* sentTo<Message extends { to: string }>(
  messages: Iterable<Message>,
  to: string,
): Generator<Message> {
  for (const message of messages) if (message.to === to) yield message;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
