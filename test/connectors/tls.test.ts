import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { openQuery } from '../../src/importers/open-source.js';
import { LedgerUnavailableError, openLedger } from '../../src/ledger/index.js';
import { withTls } from '../../src/connectors/databases/tls.js';
import { OPTIONS } from '../support/sources.js';

/** A host that is this machine and not its loopback interface by name. */
const ELSEWHERE = '0.0.0.0';
const SECRET = 'hunter2';

/** Answers the request for TLS and asks whoever goes on for a password in clear. */
class FalseServer {
  /** All that came unencrypted. */
  heard = '';
  /** All that came through TLS. */
  heardInTls = '';
  readonly #heard = new EventEmitter();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(answer: 'S' | 'N', context: SecureContext | null = null) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => undefined));
      socket.once('data', (request: Buffer) => {
        this.heard += request.toString('latin1');
        const wantsTls = request.readInt32BE(4) === 80_877_103;
        if (wantsTls) socket.write(answer);
        else askForPassword(socket);
        if (wantsTls && answer === 'S' && context !== null) {
          const inTls = new TLSSocket(socket, { isServer: true, secureContext: context });
          inTls.on('error', () => undefined);
          inTls.on('data', (data: Buffer) => {
            this.heardInTls += data.toString('latin1');
            askForPassword(inTls);
          });
        } else {
          socket.on('data', (data: Buffer) => {
            this.heard += data.toString('latin1');
            this.#heard.emit('more');
          });
        }
      });
    });
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) await once(this.#heard, 'more');
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** `AuthenticationCleartextPassword`; after the password, whatever ends the connection. */
function askForPassword(socket: Socket): void {
  socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
}

const open: FalseServer[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function start(
  answer: 'S' | 'N',
  context: SecureContext | null = null,
): Promise<{ server: FalseServer; port: number }> {
  const server = new FalseServer(answer, context);
  open.push(server);
  return { server, port: await server.listen() };
}

const address = (host: string, port: number, parameters = ''): string =>
  `postgres://reader:${SECRET}@${host}:${port}/shop${parameters}`;

const query = (url: string): Promise<unknown> => openQuery(url, 'select 1 as email', OPTIONS);

describe('the address of a PostgreSQL server', () => {
  it('gets TLS with a certificate that is checked, unless the server is on this machine', async () => {
    const { port } = await start('N');
    for (const host of ['db.example', ELSEWHERE, '192.0.2.7', '127.evil.example']) {
      const given = address(host, port);
      assert.equal(await withTls(given), `${given}?sslmode=verify-full`);
    }
    const given = address('db.example', port, '?application_name=x');
    assert.equal(await withTls(given), `${given}&sslmode=verify-full`);
    for (const nothing of ['sslmode=', 'ssl=', 'sslcert=', 'sslnegotiation=postgres']) {
      const told = address('db.example', port, `?${nothing}`);
      assert.equal(await withTls(told), `${told}&sslmode=verify-full`);
    }
    // It would swallow what is put behind it.
    assert.equal(await withTls(`${given}#main`), `${given}&sslmode=verify-full`);
  });

  it('gets TLS on this machine where the server offers it', async () => {
    const offers = await start('S');
    const refuses = await start('N');
    for (const host of ['127.0.0.1', 'localhost']) {
      assert.equal(
        await withTls(address(host, offers.port)),
        address(host, offers.port, '?sslmode=no-verify'),
      );
      assert.equal(await withTls(address(host, refuses.port)), address(host, refuses.port));
    }
    refuses.server.close();
    const gone = address('127.0.0.1', refuses.port);
    assert.equal(await withTls(gone), gone);
  });

  it('stays as it is where it says what to do', async () => {
    for (const told of ['sslmode=disable', 'sslmode=no-verify', 'ssl=true', 'ssl=0']) {
      const given = address('db.example', 5432, `?${told}`);
      assert.equal(await withTls(given), given);
    }
    const word = address('db.example', 5432, '?ssl=require');
    await assert.rejects(withTls(word), { name: 'TlsWordError', message: /ssl=require/ });
    await assert.rejects(openLedger(word), LedgerUnavailableError);
    await assert.rejects(query(word), { code: 'database_unreachable' });
    assert.equal(
      await withTls('postgres:///shop?host=/run/postgresql'),
      'postgres:///shop?host=/run/postgresql',
    );
  });
});

describe('a false server', () => {
  it('without TLS hears no password, of a source or of a ledger', async () => {
    const { server, port } = await start('N');
    await assert.rejects(query(address(ELSEWHERE, port)), {
      code: 'database_unreachable',
      message: /does not support SSL connections.*sslmode=disable/,
    });
    await assert.rejects(openLedger(address(ELSEWHERE, port)), (error) => {
      assert.ok(error instanceof LedgerUnavailableError);
      assert.match(error.message, /does not support SSL connections.*sslmode=disable/);
      return true;
    });
    assert.doesNotMatch(server.heard, /hunter2|reader/);
    assert.notEqual(server.heard, '');
  });

  it('hears it where the address says that there is no TLS', async () => {
    const { server, port } = await start('N');
    const sent = query(address(ELSEWHERE, port, '?sslmode=disable')).catch(() => undefined);
    await server.hears(SECRET);
    server.close();
    await sent;
  });

  describe('with a certificate of its own', { skip: withoutOpenssl() }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'consentry-test-tls-'));
    let context: SecureContext;
    before(() => {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
      const subject = ['-subj', '/CN=db.example', '-keyout', key, '-out', cert];
      execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' });
      context = createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) });
    });
    after(() => rmSync(folder, { recursive: true }));

    it('hears no password', async () => {
      const { server, port } = await start('S', context);
      await assert.rejects(query(address(ELSEWHERE, port)), {
        code: 'database_unreachable',
        message: /self-signed certificate.*sslrootcert=PATH.*sslmode=no-verify/,
      });
      assert.doesNotMatch(server.heard + server.heardInTls, /hunter2|reader/);
    });
  });
});

function withoutOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'there is no openssl to make a certificate with';
  }
}
