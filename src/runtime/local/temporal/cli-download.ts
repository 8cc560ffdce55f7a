import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent, fetch, ProxyAgent } from 'undici';
import { runExecutable } from '../executables.js';

/** The version that is downloaded or built; a CLI found on the machine may have another. */
export const TEMPORAL_CLI_VERSION = 'v1.5.1';

/** The release's archives of that version, by Node's and Temporal's names of a platform. */
const ARCHIVES: Readonly<Record<string, readonly [name: string, sha256: string]>> = {
  'linux-x64': ['linux_amd64', 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d'],
  'linux-arm64': [
    'linux_arm64',
    'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  ],
  'darwin-x64': [
    'darwin_amd64',
    'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  ],
  'darwin-arm64': [
    'darwin_arm64',
    'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  ],
};
const RELEASES = 'https://github.com/temporalio/cli/releases/download';

export interface CliArchive {
  readonly url: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** A firewall may drop packets; the download fails after this long without a byte. */
const STALLED_AFTER_MS = 20_000;
const UNPACK_WITHIN_MS = 120_000;

/** The release's archive for a platform; null if no checksum is known. */
export function archiveFor(platform: string, arch: string): CliArchive | null {
  const [name, sha256] = ARCHIVES[`${platform}-${arch}`] ?? [];
  if (name === undefined || sha256 === undefined) return null;
  const file = `temporal_cli_${TEMPORAL_CLI_VERSION.slice(1)}_${name}.tar.gz`;
  return { url: `${RELEASES}/${TEMPORAL_CLI_VERSION}/${file}`, sha256 };
}

/**
 * Downloads the Temporal CLI into `folder`. Only an archive with the known checksum is unpacked.
 * Fails at once if the host's name is not found, and after 20 s in which nothing arrived.
 *
 * @param proxy address of the proxy; null for none
 * @param archive default: the one for this machine
 */
export async function downloadTemporalCli(
  folder: string,
  proxy: string | null,
  archive = archiveFor(process.platform, process.arch),
): Promise<{ path: string } | { failure: string }> {
  if (archive === null) {
    return { failure: `no checksum is known for ${process.platform} on ${process.arch}` };
  }
  const packed = join(folder, 'temporal.tar.gz');
  try {
    const sha256 = await save(archive.url, packed, proxy);
    if (sha256 !== archive.sha256) {
      return { failure: `${archive.url} has the checksum ${sha256}, not ${archive.sha256}` };
    }
  } catch (error) {
    return { failure: wordsOf(error) };
  }
  // `o`: the files belong to this user, even if root unpacks them, so nobody else can change them.
  const { failure } = await runExecutable('tar', ['-xzof', packed, '-C', folder, 'temporal'], {
    withinMs: UNPACK_WITHIN_MS,
  });
  await rm(packed);
  return failure === null
    ? { path: join(folder, 'temporal') }
    : { failure: `tar could not unpack it: ${failure}` };
}

/** @returns the SHA-256 of what was saved */
async function save(url: string, path: string, proxy: string | null): Promise<string> {
  const waits = { headersTimeout: STALLED_AFTER_MS, bodyTimeout: STALLED_AFTER_MS };
  const dispatcher =
    proxy === null
      ? new Agent({ ...waits, connect: { timeout: STALLED_AFTER_MS } })
      : new ProxyAgent({ ...waits, uri: proxy });
  try {
    const response = await fetch(url, { dispatcher });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    const hash = createHash('sha256');
    await pipeline(
      Readable.fromWeb(response.body),
      async function* (bytes: AsyncIterable<Uint8Array>) {
        for await (const piece of bytes) {
          hash.update(piece);
          yield piece;
        }
      },
      createWriteStream(path),
    );
    return hash.digest('hex');
  } finally {
    await dispatcher.destroy();
  }
}

/** `fetch failed` alone does not help. */
function wordsOf(error: unknown): string {
  let words = String(error);
  for (let at = error; at instanceof Error; at = at.cause) words = at.message || words;
  return words;
}
