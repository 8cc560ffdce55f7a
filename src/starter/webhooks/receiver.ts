import type { IncomingHttpHeaders } from 'node:http';
import { noteWebhookEvents, type LedgerDb } from '../../ledger/index.js';
import { redact } from '../../runtime/redact.js';
import { readDelivery } from './delivery.js';
import type { HookEvent } from './events.js';
import { isSignedWith } from './signature.js';

/** A sync that webhooks may wake. */
export interface ListeningSync {
  /** Of the sync in the ledger. */
  readonly id: string;
  readonly name: string;
  readonly accountId: string;
  /** A request that is signed with one of them is the account's. */
  readonly secrets: readonly string[];
}

/** A whole POST to the path of the webhooks. */
export interface HookRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The status that a request is answered with, and what happened. */
export interface Received {
  readonly status: number;
  readonly events: readonly HookEvent[];
}

/**
 * Decides about a whole request of a webhook. A request that holds is noted in the ledger before it is
 * answered; all that it can do is make a run be wanted.
 */
export async function receive(
  db: LedgerDb,
  syncs: readonly ListeningSync[],
  { headers, body }: HookRequest,
): Promise<Received> {
  const signature = headers['klaviyo-signature'];
  const timestamp = headers['klaviyo-timestamp'];
  const webhookId = headers['klaviyo-webhook-id'];
  if (
    typeof signature !== 'string' ||
    typeof timestamp !== 'string' ||
    typeof webhookId !== 'string'
  ) {
    return refused(401, 'It is not signed: it lacks a header of Klaviyo’s.');
  }
  const signed = syncs.filter(({ secrets }) =>
    secrets.some((secret) => isSignedWith(secret, { body, timestamp, signature })),
  );
  if (signed.length === 0) {
    return refused(401, 'Its signature is wrong: no secret of these syncs made it.');
  }
  const delivery = readDelivery(body);
  if (delivery === null) return refused(400, 'It is signed, but it is not what Klaviyo sends.');
  if (delivery.webhookId !== webhookId) {
    return refused(403, 'It is signed, but it names another webhook than its header does.');
  }
  const meant = signed.filter(({ accountId }) => accountId === delivery.accountId);
  if (meant.length === 0) {
    return refused(403, 'It is signed, but it is of another account than the sync.');
  }
  try {
    const events: HookEvent[] = [];
    for (const { id, name } of meant) {
      const fresh = await noteWebhookEvents(db, id, delivery.eventIds);
      events.push({ event: 'received', sync: name, events: delivery.eventIds.length, fresh });
    }
    return { status: 200, events };
  } catch (error) {
    // Klaviyo sends it again. A sync that has it noted takes it for a replay then.
    const why = redact(error instanceof Error ? error.message : String(error));
    return refused(503, `It could not be noted in the ledger: ${why}`);
  }
}

function refused(status: number, why: string): Received {
  return { status, events: [{ event: 'refused', status, why }] };
}
