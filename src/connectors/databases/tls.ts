import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

const ANSWERS_WITHIN_MS = 5_000;

/** Values that `ssl` may have in the address of a PostgreSQL server; `pg` fails on any other. */
const SSL_WORDS: ReadonlySet<string> = new Set(['true', '1', '0', 'no-verify']);

/** An address has a TLS setting that `pg` does not understand. */
export class TlsWordError extends Error {
  override readonly name = 'TlsWordError';
}

/**
 * The address of a PostgreSQL server, completed with TLS settings; without them `pg` would not use
 * TLS. On this machine TLS is used if the server offers it, without checking its certificate. Any
 * other server has to offer TLS and prove its identity with its certificate, since it gets a
 * password. TLS settings in the address or in `PGSSLMODE` take precedence, including
 * `sslmode=disable` in the address.
 *
 * @param address as `pg` takes it, such as `postgres://user:password@host:5432/database`
 * @throws TlsWordError, and what `pg` throws for an address that it cannot read
 */
export async function withTls(address: string): Promise<string> {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  // A parameter added after the fragment would become part of it.
  const plain = address.slice(0, address.length - url.hash.length);
  const ssl = url.searchParams.get('ssl') ?? '';
  if (ssl !== '' && !SSL_WORDS.has(ssl)) {
    throw new TlsWordError(
      `ssl=${ssl} is not a known value: write sslmode=verify-full or another mode`,
    );
  }
  // Host and port may be in parameters, or in PGHOST and PGPORT.
  const client = new pg.Client({ connectionString: plain });
  const isTold = client.ssl || ssl === '0' || url.searchParams.get('sslmode') === 'disable';
  const { host, port } = client;
  // A Unix socket begins with a slash.
  if (isTold || host.startsWith('/')) return plain;
  const isHere = isLoopback(host);
  if (isHere && !(await offersTls(host, port))) return plain;
  const mode = `sslmode=${isHere ? 'no-verify' : 'verify-full'}`;
  return `${plain}${plain.includes('?') ? '&' : '?'}${mode}`;
}

/** TLS settings that an address can have, by kind of server. */
const REMEDIES = {
  postgres: {
    without: 'sslmode=disable',
    trust:
      'add sslrootcert=PATH, the certificate of the authority that signed it, to the address, or ' +
      'sslmode=no-verify to encrypt without checking it',
  },
  mysql: {
    without: 'ssl=false',
    trust: 'name the certificate of the authority that signed it with NODE_EXTRA_CA_CERTS',
  },
} as const;

/** What to do about a connection that failed because of TLS; null if it failed for another reason. */
export function tlsRemedy(error: unknown, kind: keyof typeof REMEDIES = 'postgres'): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof TlsWordError) return 'Correct the address.';
  const { without, trust } = REMEDIES[kind];
  if (/server does not support (SSL|secure) connection/i.test(error.message)) {
    return (
      'Turn on TLS there. Only if nobody on the way can listen or answer in its place, ' +
      `add ${without} to the address.`
    );
  }
  const code = 'code' in error ? String(error.code) : '';
  return /CERT|SIGNATURE|SELF_SIGNED/.test(code)
    ? `Its certificate could not be verified: ${trust}.`
    : null;
}

/** Whether a host name is this machine's. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.+)\]$/, '$1');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Length and code of an `SSLRequest`, the first message of a client (PostgreSQL protocol 3.0, 54.7). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** False also if nobody answers: the connection that follows reports why. */
async function offersTls(host: string, port: number): Promise<boolean> {
  const ended = new AbortController();
  const socket = connect(port, host);
  try {
    socket.write(SSL_REQUEST);
    const data = once(socket, 'data', ended) as Promise<Buffer[]>;
    const late = delay(ANSWERS_WITHIN_MS, null, ended);
    const answer = await Promise.race([data, late]);
    return answer?.[0]?.toString('latin1', 0, 1) === 'S';
  } catch (error) {
    // Also for failed attempts at several addresses of the name.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  } finally {
    ended.abort();
    socket.destroy();
  }
}
