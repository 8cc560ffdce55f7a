import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2';

/** A MariaDB server of a test's own, in a temporary folder and on a free port. */
export interface TestMariadb {
  /** Of a user who may do everything in the database `shop`. */
  readonly url: string;
  /** Runs statements in `shop`. */
  execute(...statements: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Path of the server program, which Debian keeps out of a user's path; null where there is none. */
export function findMariadb(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, 'mariadbd')).find((path) => existsSync(path)) ?? null;
}

export async function startMariadb(program: string): Promise<TestMariadb> {
  const folder = await mkdtemp(join(tmpdir(), 'consentry-mariadb-'));
  // A server that starts removes what it takes for left-overs, also those of another one that runs.
  const ownTemporary = `--tmpdir=${folder}`;
  const user = userInfo().username;
  const installed = spawnSync(
    'mariadb-install-db',
    [
      '--no-defaults',
      `--datadir=${folder}/data`,
      `--user=${user}`,
      '--auth-root-authentication-method=normal',
      ownTemporary,
    ],
    { encoding: 'utf8' },
  );
  if (installed.status !== 0) throw new Error(`mariadb-install-db: ${installed.stderr}`);
  const port = await freePort();
  const server = spawn(
    program,
    [
      '--no-defaults',
      `--user=${user}`,
      `--datadir=${folder}/data`,
      `--socket=${folder}/server.sock`,
      ownTemporary,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--skip-name-resolve',
      '--innodb-flush-log-at-trx-commit=0',
    ],
    { stdio: 'ignore' },
  );
  const root = { socketPath: `${folder}/server.sock`, user: 'root' };
  const stop = async (): Promise<void> => {
    await ended(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(root, server);
    await run(root, [
      'create database shop character set utf8mb4',
      `create user 'ada'@'127.0.0.1' identified by 's3cret:p@ss'`,
      `grant all on shop.* to 'ada'@'127.0.0.1'`,
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `mysql://ada:${encodeURIComponent('s3cret:p@ss')}@127.0.0.1:${port}/shop`,
    execute: (...statements) => run({ ...root, database: 'shop' }, statements),
    stop,
  };
}

interface Login {
  readonly socketPath: string;
  readonly user: string;
  readonly database?: string;
}

function run(login: Login, statements: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ ...login, multipleStatements: true });
    connection.on('error', reject);
    connection.query(statements.join(';\n'), (error) => {
      connection.destroy();
      if (error) reject(error);
      else resolve();
    });
  });
}

async function ready(login: Login, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await run(login, ['select 1']);
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await pause(100);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    server.kill('SIGTERM');
  });
}
