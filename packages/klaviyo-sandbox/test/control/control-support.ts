import type { Sandbox } from '../../src/index.js';

/** Calls the control surface. */
export async function control(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${sandbox.url}/sandbox${path}`, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, text: await response.text() };
}

export const post = (sandbox: Sandbox, path: string, body: unknown) =>
  control(sandbox, 'POST', path, JSON.stringify(body));

/** JSON of a call that must succeed. */
export async function ask<T>(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const { status, text } = await control(
    sandbox,
    method,
    path,
    body === undefined ? undefined : JSON.stringify(body),
  );
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text) as T;
}

/** Status and text of a call that must not succeed. */
export async function refused(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await control(sandbox, method, path, text);
  return `${answer.status} ${(JSON.parse(answer.text) as { error: string }).error}`;
}

/** Lines of NDJSON. */
export async function linesOf<T>(sandbox: Sandbox, path: string): Promise<T[]> {
  const { text } = await control(sandbox, 'GET', path);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}
