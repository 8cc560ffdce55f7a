import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { dateMeant } from '../../src/api/http/revision.js';
import type { RevisionDate } from '../../src/api/revisions/forms.js';

/** One line of a sandbox's exchange file. */
export interface LoggedExchange {
  operation: string | null;
  method: string;
  path: string;
  query: [string, string][];
  request_headers?: Record<string, string>;
  request_body: unknown;
  status: number | null;
  response_headers: Record<string, string>;
  response_body: unknown;
  fault: string | null;
}

/** Every distinct exchange of a folder, with its count. */
export async function readExchanges(
  folder: string,
): Promise<{ exchanges: LoggedExchange[]; total: number }> {
  const seen = new Set<string>();
  const exchanges: LoggedExchange[] = [];
  let total = 0;
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.ndjson'))) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)) })) {
      total += 1;
      const exchange = JSON.parse(line) as LoggedExchange;
      const key = distinction(exchange);
      if (seen.has(key)) continue;
      seen.add(key);
      exchanges.push(exchange);
    }
  }
  return { exchanges, total };
}

/**
 * The revision whose specification an exchange is validated against: the one that the sandbox
 * serves.
 */
export function revisionOf({ request_headers: headers }: LoggedExchange): RevisionDate {
  return dateMeant(headers?.['revision'] ?? null);
}

/** All that is validated. */
function distinction(exchange: LoggedExchange): string {
  const { operation, method, query, request_body, status, response_body, fault } = exchange;
  const type = exchange.response_headers['content-type'];
  return JSON.stringify([
    revisionOf(exchange),
    operation,
    method,
    query,
    request_body,
    status,
    type,
    withoutErrorIds(response_body),
    fault,
  ]);
}

function withoutErrorIds(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('errors' in body)) return body;
  return (body.errors as object[]).map((entry) => ({ ...entry, id: '' }));
}
