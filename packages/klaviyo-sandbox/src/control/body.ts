import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';

export type ControlApp = Hono<{ Bindings: HttpBindings }>;

/**
 * @throws RangeError for anything but an object (or an array of objects), SyntaxError if it is not
 * JSON
 */
export async function bodyOf<T extends object>(context: Context): Promise<T> {
  const body = await context.req.json<T | null>();
  if (typeof body === 'object' && body !== null) return body;
  throw new RangeError('the body must be a JSON object');
}

/** @throws RangeError naming the first field that is not `known` */
export function checkFields(body: object, known: readonly string[]): void {
  const unknown = Object.keys(body).find((field) => !known.includes(field));
  if (unknown === undefined) return;
  throw new RangeError(`there is no "${unknown}" here; known are ${known.join(', ')}`);
}

/** A URL parameter that is a whole number. @throws RangeError */
export function countOf(context: Context, name: string, usual: number): number {
  const text = context.req.query(name);
  if (text === undefined) return usual;
  if (/^\d+$/.test(text)) return Number(text);
  throw new RangeError(`${name} must be a whole number, got "${text}"`);
}
