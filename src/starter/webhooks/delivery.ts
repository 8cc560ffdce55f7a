import { z } from 'zod';

/** What is taken from a request of a webhook. Its payloads are not: what happened is read from the API. */
export interface Delivery {
  readonly accountId: string;
  readonly webhookId: string;
  /** Klaviyo's ids of the events. */
  readonly eventIds: readonly string[];
}

const id = z.string().min(1).max(200);

const schema = z.object({
  data: z.array(z.object({ external_id: id })),
  meta: z.object({ klaviyo_account_id: id, klaviyo_webhook_id: id }),
});

/** Reads the body of a request that is signed. Null if it is not what Klaviyo sends. */
export function readDelivery(body: Buffer): Delivery | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return null;
  const { data, meta } = parsed.data;
  return {
    accountId: meta.klaviyo_account_id,
    webhookId: meta.klaviyo_webhook_id,
    eventIds: data.map(({ external_id }) => external_id),
  };
}
