import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** One request to the API and what came back. */
export interface Exchange {
  /** Klaviyo's operation id; null for an unknown path or method. */
  operation: string | null;
  method: string;
  path: string;
  /** In the order of the URL; a parameter may appear twice. */
  query: readonly (readonly [string, string])[];
  /** Without the key and cookies. */
  requestHeaders: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined if there is none, or if it was refused before it was read. */
  requestBody: unknown;
  /** Null if the connection was cut instead of an answer. */
  status: number | null;
  responseHeaders: Readonly<Record<string, string>>;
  /** JSON as sent; null for none and for files. */
  responseBody: string | null;
  /** Kind of the fault that hit the request. */
  fault: string | null;
}

const SECRET_HEADERS = ['authorization', 'cookie'];

export function withoutSecrets(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !SECRET_HEADERS.includes(name)));
}

/** Number of sandboxes of this process that wrote exchanges. */
let sandboxes = 0;

/**
 * Writes every exchange to `<process id>-<number>.ndjson` in a folder, one JSON object per line:
 * `at`, `operation`, `method`, `path`, `query`, `request_headers`, `request_body`, `status`,
 * `response_headers`, `response_body`, `fault`.
 */
export class ExchangeLog {
  #file: number | undefined;
  #closed = false;

  /** @param folder created if it is absent */
  constructor(private readonly folder: string) {}

  /** Requests that are still answered while the sandbox stops are left out. */
  add(exchange: Exchange): void {
    if (this.#closed) return;
    this.#file ??= this.#open();
    const { responseBody } = exchange;
    const line = JSON.stringify({
      at: new Date().toISOString(),
      operation: exchange.operation,
      method: exchange.method,
      path: exchange.path,
      query: exchange.query,
      request_headers: exchange.requestHeaders,
      request_body: exchange.requestBody ?? null,
      status: exchange.status,
      response_headers: exchange.responseHeaders,
      fault: exchange.fault,
    });
    // The answer is already JSON, so it is written as it is.
    writeSync(this.#file, `${line.slice(0, -1)},"response_body":${responseBody ?? 'null'}}\n`);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#closed = true;
  }

  #open(): number {
    mkdirSync(this.folder, { recursive: true });
    sandboxes += 1;
    return openSync(join(this.folder, `${process.pid}-${sandboxes}.ndjson`), 'a');
  }
}
