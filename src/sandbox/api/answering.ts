import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

export type SandboxContext = Context<{ Bindings: HttpBindings }>;

/** An answer as it goes over the wire. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** JSON, HTML or a file; '' for none. */
  content: string | Uint8Array;
}

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer {
  if (body === undefined) {
    const length: Record<string, string> = status === 204 ? {} : { 'content-length': '0' };
    return { status, headers: { ...length, ...headers }, content: '' };
  }
  const type = { 'content-type': 'application/vnd.api+json' };
  return { status, headers: { ...type, ...headers }, content: JSON.stringify(body) };
}

/** What a proxy in front of the API says when nothing behind it answers. */
export const PROXY_PAGE: Answer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  content:
    '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
};

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
