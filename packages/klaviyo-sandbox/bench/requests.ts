import { Client } from 'undici';
import { OPERATIONS } from '../src/api/operations.js';
import { FORMS, OLDEST } from '../src/api/revisions/forms.js';
import type { Operation } from '../src/api/operation.js';
import { Query } from '../src/api/query/query.js';
import type { Sandbox } from '../src/index.js';
import { timed } from './stopwatch.js';

/** One call as it is measured: an operation, its path with the query, and its body. */
export interface Request {
  operation: string;
  path: string;
  body?: object;
}

export interface Answered {
  /** ms */
  took: number;
  /** CPU time of all threads of the process, client and server, in ms. */
  cpu: number;
  bytes: number;
  text: string;
}

/** Sends requests to a sandbox over one warm connection, and to its handlers without HTTP. */
export class Requests {
  #client: Client;

  constructor(private readonly sandbox: Sandbox) {
    this.#client = new Client(sandbox.url);
  }

  /** A new connection: the server closes one that is idle for a few seconds. */
  async connect(): Promise<void> {
    await this.#client.close();
    this.#client = new Client(this.sandbox.url);
  }

  /** From the first byte sent to the last one read. @throws Error for an unexpected status */
  async overHttp({ operation, path, body }: Request): Promise<Answered> {
    const content = body === undefined ? null : JSON.stringify(body);
    const before = process.cpuUsage();
    const [took, { statusCode, text }] = await timed(async () => {
      const answer = await this.#client.request({
        method: this.#find(operation).method,
        path,
        body: content,
        headers: {
          authorization: `Klaviyo-API-Key ${this.sandbox.apiKey}`,
          revision: '2026-07-15',
          'content-type': 'application/vnd.api+json',
        },
      });
      return { statusCode: answer.statusCode, text: await answer.body.text() };
    });
    const { user, system } = process.cpuUsage(before);
    if (statusCode >= 300) throw new Error(`${operation}: ${statusCode} ${text.slice(0, 500)}`);
    return { took, cpu: (user + system) / 1_000, bytes: Buffer.byteLength(text), text };
  }

  /** Parsing the query, the operation's own work, and the answer as objects: no HTTP, no JSON. */
  async byHandler({ operation, path, body }: Request): Promise<number> {
    const found = this.#find(operation);
    const url = new URL(path, this.sandbox.url);
    const { account } = this.sandbox;
    const [took] = await timed(() => {
      const { offsetInFilter } = account.settings.switches;
      const around = { resource: operation, offsetInFilter };
      const query = new Query(url.searchParams, found.query ?? {}, around);
      const forms = FORMS[OLDEST];
      return found.handle({ account, id: idIn(found, url), query, body, url, forms });
    });
    return took;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #find(name: string): Operation {
    const found = OPERATIONS.find((operation) => operation.name === name);
    if (found === undefined) throw new RangeError(`no operation ${name}`);
    return found;
  }
}

function idIn({ path }: Operation, url: URL): string {
  const at = path.split('/').findIndex((part) => part.startsWith('{'));
  return at < 0 ? '' : (url.pathname.split('/')[at] ?? '');
}
