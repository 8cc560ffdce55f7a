import * as z from 'zod';
import { KlaviyoAnswerUnexpectedError } from '../errors.js';
import { links } from '../json-api.js';
import type { Call } from '../transport/exchange.js';
import type { CallOptions, Transport } from '../transport/transport.js';

/** One page of a collection and the URL of the next. */
interface Page<T> {
  readonly items: readonly T[];
  readonly next: URL | null;
}

/** Reads the pages of Klaviyo's collections by their `links.next`. */
export class Pages {
  readonly #transport: Transport;
  readonly #origin: string;

  constructor(transport: Transport, baseUrl: URL) {
    this.#transport = transport;
    this.#origin = baseUrl.origin;
  }

  /** Reads one page. Throws if `links.next` is on another host: the key is never sent there. */
  async one<T>(item: z.ZodType<T>, call: Call, options?: CallOptions): Promise<Page<T>> {
    const page = z.object({ data: z.array(item), links });
    const { data, links: linked } = await this.#transport.read(page, call, options);
    return { items: data, next: this.nextOf(call, linked?.next ?? null) };
  }

  /** Reads every page, in order. */
  async all<T>(item: z.ZodType<T>, call: Call, options?: CallOptions): Promise<T[]> {
    const items: T[] = [];
    const read = new Set<string>();
    let target: string | null = call.target;
    while (target !== null) {
      if (read.has(target)) throw unexpected(call, 'links.next leads back to a page already read');
      read.add(target);
      const page: Page<T> = await this.one(item, { ...call, target }, options);
      items.push(...page.items);
      target = page.next === null ? null : page.next.pathname + page.next.search;
    }
    return items;
  }

  /** The URL of the next page. Throws if it is on another host: the key is never sent there. */
  nextOf(call: Call, next: string | null): URL | null {
    if (next === null || next === '') return null;
    if (!URL.canParse(next)) throw unexpected(call, 'links.next is not an absolute URL');
    const url = new URL(next);
    if (url.origin !== this.#origin) {
      throw unexpected(call, `links.next is on ${url.origin}, not on ${this.#origin}`);
    }
    return url;
  }
}

/** The opaque `page[cursor]` of a next page. */
export function cursorOf(call: Call, next: URL): string {
  const cursor = next.searchParams.get('page[cursor]');
  if (cursor === null || cursor === '') throw unexpected(call, 'links.next has no page[cursor]');
  return cursor;
}

function unexpected(call: Call, what: string): KlaviyoAnswerUnexpectedError {
  return new KlaviyoAnswerUnexpectedError(what, { endpoint: call.endpoint, status: 200 });
}
