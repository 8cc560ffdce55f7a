import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { type ApiError, framework } from './errors.js';

/** Documented: 5 MB for every endpoint, counted after decompression. */
const MAX_BODY_BYTES = 5_000_000;

const CONTENT_TYPES = ['application/vnd.api+json', 'application/json'];

const DECOMPRESSORS: Readonly<
  Record<string, (content: Uint8Array, limit: { maxOutputLength: number }) => Buffer>
> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

/** The JSON of a request; undefined if the body is empty. @throws ApiError 400, 413 or 415 */
export async function readPayload(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  if (!CONTENT_TYPES.includes(type.toLowerCase())) {
    throw unsupported(`Unsupported media type "${type}" in request.`);
  }
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const text = new TextDecoder().decode(decompressed(request, await bytesOf(request)));
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
}

async function bytesOf(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | Uint8Array[] = request.body ?? [];
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decompressed(request: Request, content: Uint8Array): Uint8Array {
  const encoding = request.headers.get('content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === 'identity') return content;
  const decompress = DECOMPRESSORS[encoding];
  if (decompress === undefined) throw unsupported(`Unsupported content encoding "${encoding}".`);
  try {
    return decompress(content, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw malformed(`The body is not ${encoding}.`);
  }
}

/**
 * Not recorded; the code and the wording are those of the web framework that Klaviyo's other errors
 * come from.
 */
const malformed = (detail: string): ApiError =>
  framework(400, 'parse_error', 'Malformed request.', detail);

function notJson(text: string, error: unknown): ApiError {
  const position = /at position (\d+)/.exec((error as SyntaxError).message)?.[1];
  if (position === undefined) return malformed('JSON parse error');
  const before = text.slice(0, Number(position)).split('\n');
  const place = `line ${before.length} column ${before.at(-1)!.length + 1} (char ${position})`;
  return malformed(`JSON parse error - ${place}`);
}

/** Documented status; wording as in `malformed`. */
const unsupported = (detail: string): ApiError =>
  framework(415, 'unsupported_media_type', 'Unsupported media type.', detail);

/** Neither the status nor the wording is recorded. */
function tooLarge(): ApiError {
  const megabytes = MAX_BODY_BYTES / 1_000_000;
  const detail = `The request body must not be larger than ${megabytes} MB.`;
  return framework(413, 'payload_too_large', 'Payload too large.', detail);
}
