import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

export type SandboxContext = Context<{ Bindings: HttpBindings }>;

/** An answer as it goes over the wire. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** JSON or HTML; '' for none. */
  text: string;
}

export function jsonAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answer {
  if (body === undefined) {
    const length: Record<string, string> = status === 204 ? {} : { 'content-length': '0' };
    return { status, headers: { ...length, ...headers }, text: '' };
  }
  const type = { 'content-type': 'application/vnd.api+json' };
  return { status, headers: { ...type, ...headers }, text: JSON.stringify(body) };
}

/** What a proxy in front of the API says when nothing behind it answers. */
export const PROXY_PAGE: Answer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  text: '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
};

export function send({ status, headers, text }: Answer): Response {
  return new Response(text === '' ? null : text, { status, headers });
}

/** Closes the connection without an answer. */
export function hangUp(context: SandboxContext): Response {
  context.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

/** Sends the head and half of the body, then closes the connection. */
export function sendHalf(context: SandboxContext, answer: Answer): Response {
  const text = answer.text === '' ? '{}' : answer.text;
  const { outgoing, incoming } = context.env;
  outgoing.writeHead(answer.status, {
    ...answer.headers,
    'content-length': Buffer.byteLength(text),
  });
  outgoing.write(text.slice(0, text.length / 2), () => incoming.socket.destroy());
  return RESPONSE_ALREADY_SENT;
}
