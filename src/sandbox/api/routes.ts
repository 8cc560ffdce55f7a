import { setTimeout as wait } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { SandboxAccount } from '../account/account.js';
import type { Fault } from '../account/faults.js';
import {
  hangUp,
  jsonAnswer,
  PROXY_PAGE,
  send,
  sendHalf,
  type Answer,
  type SandboxContext,
} from './answering.js';
import { ApiError, refuse, serverError, single, throttled } from './errors.js';
import { MAX_BODY_BYTES, passGate, tooLarge } from './gate.js';
import { endpointOf, hasBody, type Operation, type Reply } from './operation.js';
import { OPERATIONS } from './operations.js';
import { Query } from './query.js';
import { RateLimiter } from './rate-limits.js';

/** The simulated API: every operation behind the same gate, faults and counters. */
export function apiRoutes(account: SandboxAccount): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>({ strict: false });
  const limiter = new RateLimiter(account.clock);
  for (const operation of OPERATIONS) {
    app.on(operation.method, pathOf(operation), (context) =>
      serve(operation, context, account, limiter),
    );
  }
  for (const path of new Set(OPERATIONS.map(pathOf))) {
    app.all(path, ({ req }) => {
      const detail = `Method "${req.method}" not allowed.`;
      return sendError(single(405, 'method_not_allowed', 'Method not allowed.', detail));
    });
  }
  app.all('/api/*', ({ req }) => {
    const detail = `The path ${req.path} could not be found.`;
    return sendError(single(404, 'not_found', 'Not found.', detail));
  });
  return app;
}

const pathOf = ({ path }: Operation): string => path.replace(/\{\w+\}/, ':id');

const sendError = (error: ApiError): Response =>
  send(jsonAnswer(error.status, error.body(), { ...error.headers }));

async function serve(
  operation: Operation,
  context: SandboxContext,
  account: SandboxAccount,
  limiter: RateLimiter,
): Promise<Response> {
  account.scheduler.runDue();
  const endpoint = endpointOf(operation);
  const fault = account.faults.take(endpoint, operation.name);
  if (fault?.kind === 'reset_before') {
    account.log.count(endpoint, operation.name, fault.kind, 0);
    return hangUp(context);
  }
  const instead = fault && answerInstead(fault);
  if (instead !== undefined) {
    account.log.count(endpoint, operation.name, String(instead.status), 0);
    return send(instead);
  }
  if (fault !== undefined) await takeEffect(fault, account);
  const { answer, profiles } = await answerOf(operation, context, account, limiter);
  const cut = fault?.kind === 'reset_after';
  account.log.count(endpoint, operation.name, cut ? fault.kind : String(answer.status), profiles);
  if (cut) return hangUp(context);
  return fault?.kind === 'truncated' ? sendHalf(context, answer) : send(answer);
}

/** The answer of a fault under which nothing is carried out. */
function answerInstead({ kind, retryAfter }: Fault): Answer | undefined {
  if (kind === '502' || kind === 'html') return PROXY_PAGE;
  if (kind !== '429' && kind !== '500' && kind !== '503') return undefined;
  const error =
    kind === '429' ? throttled(retryAfter ?? 1) : serverError(kind === '500' ? 500 : 503);
  return jsonAnswer(error.status, error.body(), { ...error.headers });
}

async function takeEffect(fault: Fault, account: SandboxAccount): Promise<void> {
  if (fault.kind === 'slow') await wait(fault.latencyMs ?? 1_000);
  if (fault.kind === 'revoke_key') account.keyRevoked = true;
  if (fault.kind !== 'delete_list') return;
  for (const { id } of account.lists.all()) {
    if (fault.listId === undefined || fault.listId === id) account.lists.remove(id);
  }
}

async function answerOf(
  operation: Operation,
  context: SandboxContext,
  account: SandboxAccount,
  limiter: RateLimiter,
): Promise<{ answer: Answer; profiles: number }> {
  const { req } = context;
  const url = new URL(req.url);
  let limits: Record<string, string> = {};
  try {
    limits = passGate(operation, req.raw, url.searchParams, account, limiter);
    const query = new Query(url.searchParams, operation.query ?? {});
    const body = hasBody(operation) ? await bodyOf(req.raw) : undefined;
    const reply = operation.handle({ account, id: req.param('id') ?? '', query, body, url });
    return { answer: answerWith(reply, limits), profiles: reply.profiles ?? 0 };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const headers = { ...limits, ...error.headers };
    return { answer: jsonAnswer(error.status, error.body(), headers), profiles: 0 };
  }
}

function answerWith(reply: Reply, limits: Record<string, string>): Answer {
  const headers = { ...limits, ...reply.headers };
  if (reply.file === undefined) return jsonAnswer(reply.status, reply.body, headers);
  const { type, content } = reply.file;
  return { status: reply.status, headers: { 'content-type': type, ...headers }, content };
}

async function bodyOf(request: Request): Promise<unknown> {
  const text = await request.text();
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) throw tooLarge();
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('/data', 'Invalid JSON in the request body.');
  }
}
