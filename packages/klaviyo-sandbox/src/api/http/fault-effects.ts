import { setTimeout as wait } from 'node:timers/promises';
import type { SandboxAccount } from '../../account/account.js';
import type { Fault } from '../../account/requests/fault.js';
import { hash } from '../../chance/chance.js';
import {
  dribble,
  hangUp,
  jsonAnswer,
  proxyPage,
  send,
  sendHalf,
  type Answer,
  type SandboxContext,
} from './answering.js';
import { isObject } from './body.js';
import { serverError, throttled } from './errors.js';

const DEFAULT_LATENCY_MS = 1_000;

/** The answer that a fault gives instead of Klaviyo's own. */
export function answerInstead({ kind, retryAfter }: Fault): Answer | undefined {
  if (kind === '502' || kind === 'html') return proxyPage(502);
  if (kind === '504') return proxyPage(504);
  if (kind !== '429' && kind !== '500' && kind !== '503') return undefined;
  const error =
    kind === '429' ? throttled(retryAfter ?? 1) : serverError(kind === '500' ? 500 : 503);
  const wait: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return jsonAnswer(error.status, error.body(), { ...error.headers, ...wait });
}

/** What a fault does before the request is read. */
export async function beforeRequest(
  fault: Fault | undefined,
  account: SandboxAccount,
): Promise<void> {
  if (fault?.kind === 'slow') await wait(fault.latencyMs ?? DEFAULT_LATENCY_MS);
  if (fault?.kind === 'revoke_key') account.keyRevoked = true;
  if (fault?.kind !== 'delete_list') return;
  for (const { id } of account.lists.all()) {
    if (fault.listId === undefined || fault.listId === id) account.listing.delete(id);
  }
}

/** Makes somebody opt out if the fault says so for this moment. */
export function optOut(
  fault: Fault | undefined,
  moment: 'before' | 'after',
  request: { body: unknown; url: URL },
  account: SandboxAccount,
): void {
  if (fault?.kind !== 'unsubscribe_person' || (fault.moment ?? 'before') !== moment) return;
  const { profiles, settings } = account;
  const named = fault.email === undefined ? peopleOf(request) : [{ email: fault.email }];
  const known = named.filter((person) =>
    'email' in person
      ? profiles.withEmail(person.email.toLowerCase()) !== undefined
      : profiles.withPhone(person.phone_number) !== undefined,
  );
  const names = known.map((person) => Object.values(person).join());
  const chosen = known[hash(settings.seed, 'opts out', ...names) % known.length];
  if (chosen === undefined) return;
  if ('email' in chosen) account.unsubscribe(chosen);
  else account.stopSms(chosen);
}

type Named = { email: string } | { phone_number: string };

/** People in the rows of a body, and addresses in a filter. */
function peopleOf({ body, url }: { body: unknown; url: URL }): Named[] {
  const data = isObject(body) ? body['data'] : undefined;
  const attributes = isObject(data) ? data['attributes'] : undefined;
  const profiles = isObject(attributes) ? attributes['profiles'] : undefined;
  const rows: unknown = isObject(profiles) ? profiles['data'] : [data];
  const filter = url.searchParams.get('filter') ?? '';
  const filtered = [...filter.matchAll(/["']([^"'\s]+@[^"'\s]+)["']/g)];
  return [
    ...(Array.isArray(rows) ? rows.flatMap(namedIn) : []),
    ...filtered.map(([, email]) => ({ email: email! })),
  ];
}

function namedIn(row: unknown): Named[] {
  const attributes = isObject(row) ? row['attributes'] : undefined;
  if (!isObject(attributes)) return [];
  const { email, phone_number: phone } = attributes;
  if (typeof email === 'string') return [{ email }];
  return typeof phone === 'string' ? [{ phone_number: phone }] : [];
}

/** Sends the answer as changed by the fault. */
export function sendThrough(
  fault: Fault | undefined,
  context: SandboxContext,
  answer: Answer,
): Response {
  if (fault?.kind === 'reset_after') return hangUp(context);
  if (fault?.kind === 'truncated') return sendHalf(context, answer);
  if (fault?.kind === 'slow_body') return dribble(answer, fault.latencyMs ?? DEFAULT_LATENCY_MS);
  return send(answer);
}
