import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isDatabaseUrl, parseDatabaseUrl } from './databases/database-url.js';

/**
 * SHA-256 by which two runs are known to read the same, in hexadecimal. Of a file it is that of its
 * bytes. Of a query it is that of the URL without password and parameters and of the SQL, not of
 * the rows: they would have to be read once more to know it, and a run that starts while another
 * one of the same query goes on should find that one.
 *
 * @throws SourceError for a URL that cannot be read; the system's error for a file
 */
export async function sourceFingerprint(
  location: string,
  query: string | null = null,
): Promise<string> {
  const hash = createHash('sha256');
  if (isDatabaseUrl(location)) {
    return hash
      .update(`${parseDatabaseUrl(location).shown}\n${(query ?? '').trim()}`)
      .digest('hex');
  }
  await pipeline(createReadStream(location), hash);
  return hash.digest('hex');
}
