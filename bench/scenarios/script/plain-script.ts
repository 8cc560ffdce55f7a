/**
 * What a careful developer writes instead of Consentry, with Klaviyo's official Node client: checks
 * and deduplicates addresses, sends batches of 1,000 with some at once, obeys `Retry-After`, tries
 * again what may have failed for a moment, and leaves out the rows that a 400 points at. It does not
 * read what the account holds, before or after.
 *
 *   node plain-script.js FILE LIST URL KEY
 */
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { ApiKeySession, ProfilesApi, RetryWithExponentialBackoff } from 'klaviyo-api';
import pLimit from 'p-limit';

const [file = '', listId = '', url = '', apiKey = ''] = process.argv.slice(2);

const BATCH = 1_000;
const AT_ONCE = 10;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

const retries = new RetryWithExponentialBackoff({
  retryCodes: [429, 500, 502, 503, 504, 524],
  numRetries: 8,
});
const profiles = new ProfilesApi(new ApiKeySession(apiKey, retries));
profiles.basePath = url;

const began = performance.now();
const limit = pLimit(AT_ONCE);
const sending: Promise<void>[] = [];
const seen = new Set<string>();
const result = { accepted: 0, invalid: 0, duplicates: 0, refused: 0, failed: 0, ms: 0 };

let batch: string[] = [];
for await (const record of createReadStream(file).pipe(parse({ columns: true }))) {
  const email = (record as { email: string }).email.trim().toLowerCase();
  if (!EMAIL.test(email)) result.invalid += 1;
  else if (seen.has(email)) result.duplicates += 1;
  else {
    seen.add(email);
    batch.push(email);
    if (batch.length === BATCH) flush();
  }
}
if (batch.length > 0) flush();
await Promise.all(sending);
result.ms = performance.now() - began;
process.stdout.write(`${JSON.stringify(result)}\n`);

function flush(): void {
  const emails = batch;
  batch = [];
  sending.push(limit(() => send(emails)));
}

async function send(emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return;
  try {
    await subscribe(emails);
    result.accepted += emails.length;
  } catch (error) {
    const refused = refusedRows(error);
    if (refused === null) {
      result.failed += emails.length;
      return;
    }
    result.refused += refused.size;
    await send(emails.filter((_, row) => !refused.has(row)));
  }
}

async function subscribe(emails: readonly string[]): Promise<void> {
  await profiles.bulkSubscribeProfiles({
    data: {
      type: 'profile-subscription-bulk-create-job',
      attributes: {
        profiles: {
          data: emails.map((email) => ({
            type: 'profile',
            attributes: {
              email,
              subscriptions: { email: { marketing: { consent: 'SUBSCRIBED' } } },
            },
          })),
        },
      },
      relationships: { list: { data: { type: 'list', id: listId } } },
    },
  });
}

/** The rows that a 400 points at; null if the call failed otherwise, or names none. */
function refusedRows(error: unknown): Set<number> | null {
  const { response } = error as {
    response?: { status: number; data: { errors?: { source?: { pointer?: string } }[] } };
  };
  if (response?.status !== 400) return null;
  const rows = new Set<number>();
  for (const { source } of response.data.errors ?? []) {
    const row = /\/profiles\/data\/(\d+)\//.exec(source?.pointer ?? '')?.[1];
    if (row !== undefined) rows.add(Number(row));
  }
  return rows.size === 0 ? null : rows;
}
