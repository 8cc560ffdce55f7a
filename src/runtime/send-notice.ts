import { request } from 'undici';

const WITHIN_MS = 10_000;

/**
 * Posts JSON to an address of the operator's.
 *
 * @throws Error whose message does not show the address: it may hold a secret
 */
export async function sendNotice(url: string, notice: object): Promise<void> {
  if (!/^https?:\/\//.test(url)) throw new Error('Its address is not an http or https address.');
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(notice),
    headersTimeout: WITHIN_MS,
    bodyTimeout: WITHIN_MS,
  }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`Its address cannot be reached (${error.code ?? error.name}).`, {
      cause: error,
    });
  });
  await body.dump();
  if (statusCode >= 300) throw new Error(`Its address answered with ${statusCode}.`);
}
