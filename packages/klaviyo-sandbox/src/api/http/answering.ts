import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { Clock } from '../../time/clock.js';

export type SandboxContext = Context<{ Bindings: HttpBindings }>;

/** An answer as sent over HTTP. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** JSON, HTML or a file; '' for none. */
  content: string | Uint8Array;
}

/** `Date` of an answer: Node would send this machine's time instead of Klaviyo's. */
export const dateHeader = (clock: Clock): { date: string } => ({
  date: new Date(clock.wall()).toUTCString(),
});

/** The answer as sent now. */
export const dated = ({ headers, ...answer }: Answer, clock: Clock): Answer => ({
  ...answer,
  headers: { ...headers, ...dateHeader(clock) },
});

const JSON_API = 'application/vnd.api+json';

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer {
  if (body === undefined) {
    const length: Record<string, string> = status === 204 ? {} : { 'content-length': '0' };
    return { status, headers: { ...length, ...headers }, content: '' };
  }
  return {
    status,
    headers: { 'content-type': JSON_API, 'content-language': 'en-us', ...headers },
    content: JSON.stringify(body),
  };
}

/** JSON of an answer; null if it has none, or for an HTML page or a file. */
export const jsonOf = ({ headers, content }: Answer): string | null =>
  headers['content-type'] === JSON_API && typeof content === 'string' ? content : null;

const PROXY_WORDS = { 502: 'Bad Gateway', 504: 'Gateway Time-out' };

/** The page of a proxy in front of the API when its backend does not answer. */
export function proxyPage(status: 502 | 504): Answer {
  const words = `${status} ${PROXY_WORDS[status]}`;
  return {
    status,
    headers: { 'content-type': 'text/html' },
    content: `<html><head><title>${words}</title></head><body><h1>${words}</h1></body></html>`,
  };
}

export function send({ status, headers, content }: Answer): Response {
  return new Response(content.length === 0 ? null : content, { status, headers });
}

/** Closes the connection without an answer. */
export function hangUp(context: SandboxContext): Response {
  context.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

/** Sends the head and half of the body, then closes the connection. */
export function sendHalf(context: SandboxContext, answer: Answer): Response {
  const content = Buffer.from(answer.content.length === 0 ? '{}' : answer.content);
  const { outgoing, incoming } = context.env;
  outgoing.writeHead(answer.status, {
    ...answer.headers,
    'content-length': content.length,
  });
  outgoing.write(content.subarray(0, content.length / 2), () => incoming.socket.destroy());
  return RESPONSE_ALREADY_SENT;
}

const DRIBBLES = 10;

/** Sends the head at once and the body in small pieces, the last of them after `ms`. */
export function dribble({ status, headers, content }: Answer, ms: number): Response {
  if (content.length === 0) return send({ status, headers, content });
  const bytes = Buffer.from(content);
  const step = Math.ceil(bytes.length / DRIBBLES);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await wait(ms / DRIBBLES);
      controller.enqueue(bytes.subarray(at, at + step));
      at += step;
      if (at >= bytes.length) controller.close();
    },
  });
  return new Response(body, { status, headers });
}
