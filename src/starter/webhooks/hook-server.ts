import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HookRequest, Received } from './receiver.js';
import type { HookEvent } from './events.js';

export interface HookServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly path: string;
  /** Milliseconds within which a whole request must have come. @default 15_000 */
  readonly requestWithinMs?: number;
}

const LARGEST_BODY = 5 * 1_048_576;
/** With the largest bodies, so many take 160 MiB. */
const MOST_CONNECTIONS = 32;
const LARGEST_HEADERS = 8_192;
/** Requests that are being answered when the listener stops get so long. */
const LAST_ANSWERS_MS = 5_000;

/** Takes requests of webhooks over plain HTTP, one a connection, and bounds what anybody can send. */
export class HookServer {
  readonly #server: Server;

  /**
   * @param take decides about a whole request
   * @param tell of requests that were refused before that
   */
  constructor(
    private readonly options: HookServerOptions,
    private readonly take: (request: HookRequest) => Promise<Received>,
    private readonly tell: (event: HookEvent) => void,
  ) {
    const { requestWithinMs = 15_000 } = options;
    this.#server = createServer(
      {
        headersTimeout: requestWithinMs,
        requestTimeout: requestWithinMs,
        connectionsCheckingInterval: Math.min(1_000, requestWithinMs / 2),
        maxHeaderSize: LARGEST_HEADERS,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('drop', () => {
      const why = `More than ${MOST_CONNECTIONS} requests came at once: a connection was closed.`;
      tell({ event: 'refused', status: 503, why });
    });
  }

  /** @returns its port. @throws the error of the system if it cannot listen there */
  async start(): Promise<number> {
    const { host, port } = this.options;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no more requests, and answers those that have come. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    const timer = setTimeout(() => this.#server.closeAllConnections(), LAST_ANSWERS_MS);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What is wrong with the connection is told by whoever reads or writes.
    response.on('error', () => undefined);
    let received: Received;
    try {
      received = await this.#received(request);
    } catch (error) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      received = { status: 500, events: [{ event: 'refused', status: 500, why }] };
    }
    for (const event of received.events) this.tell(event);
    if (response.destroyed) return;
    // Whoever is refused learns the status and nothing else.
    response.writeHead(received.status, { connection: 'close', 'content-length': 0 }).end();
  }

  async #received(request: IncomingMessage): Promise<Received> {
    const refused = (status: number, why: string): Received => ({
      status,
      events: [{ event: 'refused', status, why }],
    });
    const { path } = this.options;
    if (request.url?.split('?')[0] !== path) return refused(404, `It is not for ${path}.`);
    if (request.method !== 'POST') return refused(405, 'It is no POST.');
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) return tooLarge();
    let body: Buffer | null;
    try {
      body = await wholeBody(request);
    } catch {
      return refused(408, 'It ended, or its time was over, before all of it had come.');
    }
    return body === null ? tooLarge() : this.take({ headers: request.headers, body });

    function tooLarge(): Received {
      return refused(413, `It is larger than ${LARGEST_BODY / 1_048_576} MiB.`);
    }
  }
}

/** The body of a request; null as soon as it is too large. Rejects if it does not come to its end. */
function wholeBody(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      resolve(null);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
