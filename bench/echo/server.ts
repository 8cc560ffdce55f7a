/**
 * An echo in place of Klaviyo, as a process of its own. It is not a simulation of Klaviyo: it
 * accepts every subscribe call at once, remembers who was in it, and from then on shows them as
 * subscribed, in profiles and in events; if told so, only once a number of people was sent. It has no limits, no delays, no opt-outs and no errors, so
 * that what is left of a run is the work of worker, PostgreSQL and Temporal. A request that it does
 * not know is refused, so that a run cannot pass by accident. Besides, it has an account of people
 * whose consent can be read: for syncs.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EchoPeople } from './people.js';
import { EchoProfiles } from './profiles.js';

const API_KEY = 'pk_echo';
const METRICS = [
  'Subscribed to Email Marketing',
  'Unsubscribed from Email Marketing',
  'Unsubscribed from List',
  'Marked Email as Spam',
];
const SUBSCRIBED = 'MTRC00';

/** It shows nobody before so many people were sent: an argument. */
const SHOWS_AFTER = Number(process.argv[2] ?? 0);

/** Profiles that it has from the start: another argument. */
const PROFILES = Number(process.argv[3] ?? 0);

/** More than any run needs. */
const LIMITS = {
  'ratelimit-limit': '10000, 10000;w=1, 100000;w=60',
  'ratelimit-remaining': '100000',
  'ratelimit-reset': '59',
};

const people = new EchoPeople();
const profiles = new EchoProfiles(PROFILES);
const server = createServer((request, response) => {
  answer(request)
    .then(({ status, body }) => reply(response, status, body))
    .catch((error: unknown) => reply(response, 501, refusal(String(error))));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  process.stdout.write(`${JSON.stringify({ event: 'ready', url, apiKey: API_KEY })}\n`);
});
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? ''}`);
  const asked = `${request.method} ${url.pathname}`;
  if (asked === 'POST /api/profile-subscription-bulk-create-jobs') {
    people.accept(await bodyOf(request), Date.now());
    return { status: 202, body: '' };
  }
  const filter = url.searchParams.get('filter') ?? '';
  switch (asked) {
    case 'GET /api/accounts':
      return page('[{"type":"account","id":"EchoAc","attributes":{"timezone":"UTC"}}]');
    case 'GET /api/metrics':
      return page(
        JSON.stringify(
          METRICS.map((name, n) => ({ type: 'metric', id: `MTRC0${n}`, attributes: { name } })),
        ),
      );
    case 'GET /api/events':
      return isShown() && filter.includes(`"${SUBSCRIBED}"`) ? eventsPage(url, filter) : page('[]');
    case 'GET /api/profiles':
      if (url.searchParams.get('sort') === 'created') return createdPage(url, filter);
      return page(
        isShown() && filter.startsWith('any(') ? people.profiles(emailsIn(filter)) : '[]',
      );
  }
  const list = /^GET \/api\/lists\/(\w+)(\/profiles)?$/.exec(asked);
  if (list?.[2] !== undefined) {
    if (people.count === 0 || !isShown()) return page('[]');
    if (filter.startsWith('any(')) return page(people.profiles(emailsIn(filter)));
    throw new Error('The echo does not list members: historical runs cannot be measured with it.');
  }
  if (list !== null) {
    const attributes = '{"name":"Echo","opt_in_process":"single_opt_in"}';
    return {
      status: 200,
      body: `{"data":{"type":"list","id":"${list[1]}","attributes":${attributes}}}`,
    };
  }
  throw new Error(`The echo does not know ${asked}.`);
}

function eventsPage(url: URL, filter: string): Answer {
  const since = Date.parse(/greater-or-equal\(datetime,([^)]+)\)/.exec(filter)?.[1] ?? '');
  const size = Number(url.searchParams.get('page[size]'));
  const cursor = url.searchParams.get('page[cursor]');
  const from = cursor === null ? people.firstSince(since) : Number(cursor);
  const to = Math.min(people.count, from + size);
  const { events, profiles: included } = people.events(from, to, SUBSCRIBED);
  const metric = `{"type":"metric","id":"${SUBSCRIBED}","attributes":{"name":"${METRICS[0]}"}}`;
  const alongside = events === '' ? '' : `${included},${metric}`;
  const next = nextOf(url, to < people.count ? to : null);
  return {
    status: 200,
    body: `{"data":[${events}],"included":[${alongside}],"links":{"next":${next}}}`,
  };
}

/** Profiles by when they were created. */
function createdPage(url: URL, filter: string): Answer {
  const after = /greater-than\(created,([^)]+)\)/.exec(filter)?.[1];
  const before = /less-than\(created,([^)]+)\)/.exec(filter)?.[1];
  const end = before === undefined ? PROFILES : profiles.firstFrom(Date.parse(before));
  const cursor = url.searchParams.get('page[cursor]');
  const beginning = after === undefined ? 0 : profiles.firstFrom(Date.parse(after) + 1);
  const from = cursor === null ? beginning : Number(cursor);
  const to = Math.min(end, from + Number(url.searchParams.get('page[size]')));
  const next = nextOf(url, to < end ? to : null);
  return {
    status: 200,
    body: `{"data":[${profiles.page(from, to)}],"links":{"next":${next}}}`,
  };
}

/** The address of the next page as JSON. */
function nextOf(url: URL, cursor: number | null): string {
  if (cursor === null) return 'null';
  url.searchParams.set('page[cursor]', String(cursor));
  return JSON.stringify(url.href);
}

const isShown = (): boolean => people.count >= SHOWS_AFTER;

function page(data: string): Answer {
  return { status: 200, body: `{"data":${data},"links":{"next":null}}` };
}

const emailsIn = (filter: string): string[] =>
  JSON.parse(filter.slice(filter.indexOf('['), filter.lastIndexOf(']') + 1)) as string[];

const refusal = (detail: string): string =>
  JSON.stringify({ errors: [{ status: 501, code: 'echo', title: 'Not echoed', detail }] });

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/vnd.api+json',
    'content-length': Buffer.byteLength(body),
    ...LIMITS,
  });
  response.end(body);
}
