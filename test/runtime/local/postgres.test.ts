import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePorts } from '../../../src/runtime/local/ports.js';
import { startDatabase } from '../../../src/runtime/local/postgres/postgres.js';
import type { Database } from '../../../src/runtime/local/postgres/postgres.js';
import { findPostgres } from '../../../src/runtime/local/postgres/binaries.js';
import { DatabaseHeldError, startWhenFree } from '../../../src/runtime/local/postgres/recovery.js';
import { serverAccount } from '../../../src/runtime/local/server-account.js';
import { createTestFolders } from '../../support/stack.js';
import type { TestFolders } from '../../support/stack.js';
import {
  deadPid,
  firstLine,
  kill,
  runModule,
  runtimeModule,
  untilGone,
} from '../../support/processes/child-processes.js';

let folders: TestFolders;
const open: Database[] = [];
before(async () => {
  folders = await createTestFolders();
  // As root the server's account has to get through to its data.
  await chmod(dirname(folders.data), 0o711);
});
afterEach(async () => {
  for (const database of open.splice(0).reverse()) await database.stop();
});
after(() => folders.remove());

async function start(keep: boolean): Promise<Database> {
  const database = await startDatabase({ databaseUrl: null, folders, keep });
  open.push(database);
  return database;
}

async function dataFolderOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]);
  return /-D (\S+)/.exec(stdout)?.[1] ?? '';
}

async function untilBusy(url: string): Promise<void> {
  const active = `select from pg_stat_activity where state = 'active' and query like '%series%'
    and pid <> pg_backend_pid()`;
  while ((await query(url, active)).length === 0) await new Promise((r) => setTimeout(r, 20));
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // The server may be killed while we are connected.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const cluster = (): string => join(folders.data, 'postgresql', 'cluster');

describe('database', { timeout: 120_000 }, () => {
  it('is the one that DATABASE_URL names, and is left alone', async () => {
    const url = 'postgres://me@db.example/ledger';
    const database = await startDatabase({ databaseUrl: url, folders, keep: false });
    assert.deepEqual([database.url, database.builtIn, database.pid], [url, false, null]);
    await database.stop();
  });

  it('is a PostgreSQL of our own that asks for its password and goes without a trace', async () => {
    const database = await start(false);
    const [row] = await query(database.url, 'select current_database(), version() as version');
    assert.match(JSON.stringify(row), /"consentry".*PostgreSQL 18/);
    const folder = await dataFolderOf(database.pid ?? 0);
    assert.equal(existsSync(folder), true);

    const wrong = new URL(database.url);
    wrong.password = 'guessed';
    await assert.rejects(query(wrong.href, 'select 1'), /password authentication failed/);

    await database.stop();
    assert.equal(existsSync(dirname(folder)), false);
    await assert.rejects(query(database.url, 'select 1'), /ECONNREFUSED/);
  });

  it('works as an ordinary role that may make databases, and reads no file of the machine', async () => {
    const { url } = await start(false);
    const [role] = await query(
      url,
      'select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user',
    );
    assert.deepEqual(role, {
      rolname: 'consentry',
      rolsuper: false,
      rolcreatedb: true,
      rolcreaterole: false,
    });
    await assert.rejects(query(url, `select pg_read_file('/etc/hostname')`), /permission denied/);
    await assert.rejects(query(url, `copy (select 1) to program 'true'`), /permission denied/);
    await query(url, 'create database another');
    await query(url, 'create schema consentry');
  });

  it('keeps its data for the next start', async () => {
    const first = await start(true);
    await query(first.url, 'create table kept as select 1 as n');
    await first.stop();
    const second = await start(true);
    assert.deepEqual(await query(second.url, 'select n from kept'), [{ n: 1 }]);
    const mode = (await stat(join(folders.data, 'postgresql'))).mode & 0o777;
    assert.equal(mode, 0o700);
  });

  it('starts again after the server was killed', async () => {
    const first = await start(true);
    await query(first.url, 'create table after_kill as select 2 as n');
    process.kill(first.pid ?? 0, 'SIGKILL');
    await untilGone(first.pid ?? 0);
    assert.equal(existsSync(join(cluster(), 'postmaster.pid')), true);
    const second = await start(true);
    assert.deepEqual(await query(second.url, 'select n from after_kill'), [{ n: 2 }]);
  });

  it('starts again after our process was killed, and the old server does not stay', async () => {
    const owner = runModule(ownerOf('keep: true'));
    const pid = Number(await firstLine(owner));
    await kill(owner, 'SIGKILL');
    const database = await start(true);
    assert.deepEqual(await query(database.url, 'select 3 as n'), [{ n: 3 }]);
    await untilGone(pid);
  });

  it('starts again at once each time that server and owner are killed together', async () => {
    const first = await start(true);
    await query(first.url, 'create table killed (n int)');
    await first.stop();
    const cut: Promise<unknown>[] = [];
    for (let n = 1; n <= 3; n += 1) {
      const owner = runModule(ownerOf('keep: true', '`${database.pid} ${database.url}`'));
      const [pid, url = ''] = (await firstLine(owner)).split(' ');
      await query(url, `insert into killed values (${n})`);
      // Connections with work to do do not notice the end of their server.
      cut.push(query(url, 'select count(*) from generate_series(1, 1000000000)').catch(String));
      await untilBusy(url);
      owner.kill('SIGKILL');
      process.kill(Number(pid), 'SIGKILL');
    }
    const last = await start(true);
    assert.deepEqual(await query(last.url, 'select count(*)::int as n from killed'), [{ n: 3 }]);
    assert.equal((await Promise.all(cut)).length, 3);
  });

  it('starts while nobody has asked after the killed server, whose pid is still taken', async () => {
    const owner = runModule(ownerOf('keep: true'));
    const pid = Number(await firstLine(owner));
    // A parent that stands still lets its dead children lie.
    owner.kill('SIGSTOP');
    process.kill(pid, 'SIGKILL');
    await untilGone(pid);
    assert.ok(process.kill(pid, 0), 'the pid is free, so this tests nothing');
    const database = await start(true);
    assert.deepEqual(await query(database.url, 'select 6 as n'), [{ n: 6 }]);
    await kill(owner, 'SIGKILL');
  });

  it('waits for what is left of a killed server, then names file, process and way out', async () => {
    const folder = join(folders.data, 'held');
    await mkdir(folder, { recursive: true });
    const file = join(folder, 'postmaster.pid');
    const gone = await deadPid();
    await writeFile(file, `${gone}\n${folder}\n`);
    const fatal =
      'FATAL:  pre-existing shared memory block (key 10534934, ID 196611) is still in use';
    const held = new Error(
      `PostgreSQL ended with exit code 1.\n2026-01-02 UTC [9] ${fatal}\nHINT: no`,
    );
    let starts = 0;
    const start = (failures: number) => () =>
      (starts += 1) > failures ? Promise.resolve('started') : Promise.reject(held);

    assert.equal(await startWhenFree(folder, start(3)), 'started');
    assert.equal(starts, 4);
    await assert.rejects(startWhenFree(folder, start(Infinity), 200), (error) => {
      assert.ok(error instanceof DatabaseHeldError);
      for (const said of [
        folder,
        file,
        String(gone),
        '0.2 s',
        'ID 196611',
        'kill -9',
        'DATABASE_URL',
      ]) {
        assert.ok(error.message.includes(said), `${said} is not in: ${error.message}`);
      }
      return true;
    });
    const other = new Error('PostgreSQL ended with exit code 1.\nFATAL:  out of memory');
    await assert.rejects(
      startWhenFree(folder, () => Promise.reject(other)),
      other,
    );
  });

  it('ends a server of the same data that nothing else ended', async () => {
    await (await start(true)).stop();
    const account = await serverAccount();
    const { postgres } = await findPostgres(account, folders.cache);
    const [port] = await freePorts(1);
    const options = ['-D', cluster(), '-p', String(port), '-c', 'listen_addresses=127.0.0.1'];
    const orphan = spawn(postgres, [...options, '-c', 'unix_socket_directories='], {
      detached: true,
      cwd: join(folders.data, 'postgresql'),
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(account ?? {}),
    });
    let log = '';
    orphan.stderr.on('data', (chunk) => (log += String(chunk)));
    while (!log.includes('ready to accept')) {
      assert.equal(orphan.exitCode, null, log);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const database = await start(true);
    assert.notEqual(database.pid, orphan.pid);
    await untilGone(orphan.pid ?? 0);
  });

  it('is not held up by a postmaster.pid whose pid is another program’s', async () => {
    await (await start(true)).stop();
    // Not ours: PostgreSQL knows that the pid of its own parent is no server's.
    const other = runModule('console.log(); setInterval(() => undefined, 1000);');
    await firstLine(other);
    const lines = [other.pid, cluster(), '1', '5432', '', '', '', ''];
    const file = join(cluster(), 'postmaster.pid');
    await writeFile(file, lines.join('\n'), { mode: 0o600 });
    const { uid, gid } = await stat(cluster());
    await chown(file, uid, gid);
    const database = await start(true);
    assert.deepEqual(await query(database.url, 'select 4 as n'), [{ n: 4 }]);
    assert.equal(other.exitCode, null, 'the other program is left alone');
    await kill(other, 'SIGKILL');
  });

  it('begins anew where an earlier start was interrupted in the middle of making it', async () => {
    await rm(join(folders.data, 'postgresql'), { recursive: true, force: true });
    await mkdir(join(folders.data, 'postgresql', 'cluster.unfinished', 'base'), {
      recursive: true,
    });
    const database = await start(true);
    assert.deepEqual(await query(database.url, 'select 5 as n'), [{ n: 5 }]);
    assert.equal(existsSync(join(folders.data, 'postgresql', 'cluster.unfinished')), false);
  });

  it('is refused while another process uses the same data', async () => {
    const owner = runModule(ownerOf('keep: true'));
    await firstLine(owner);
    await assert.rejects(start(true), {
      message: new RegExp(`in use by process ${owner.pid}.*DATABASE_URL or CONSENTRY_DATA_DIR`),
    });
    await kill(owner, 'SIGKILL');
  });

  it('names the folder and the way out when the data is of another version', async () => {
    await (await start(true)).stop();
    const version = join(cluster(), 'PG_VERSION');
    const right = await readFile(version, 'utf8');
    await writeFile(version, '15\n');
    await assert.rejects(
      start(true),
      /created by PostgreSQL 15.*Dump it with the old version, or move/,
    );
    await writeFile(version, right);
  });

  it('names a data folder that is none', async () => {
    const wrong = { ...folders, data: join(folders.data, 'file'), dataIsNamed: true };
    await writeFile(wrong.data, '');
    await assert.rejects(startDatabase({ databaseUrl: null, folders: wrong, keep: true }), {
      name: 'ConfigError',
      message: /it is not a folder\. Set CONSENTRY_STATE_DIR, CONSENTRY_DATA_DIR/,
    });
  });

  it('names the folder and the way out when the password is gone', async () => {
    const password = join(folders.data, 'postgresql', 'password');
    await rm(password);
    await assert.rejects(start(true), /password of the built-in database is missing.*move/);
  });

  it('leaves no temporary folder behind when our process was killed', async () => {
    const owner = runModule(ownerOf('keep: false', 'database.pid'));
    const folder = await dataFolderOf(Number(await firstLine(owner)));
    await kill(owner, 'SIGKILL');
    await start(false);
    assert.equal(existsSync(dirname(folder)), false);
  });
});

function ownerOf(keep: string, printed = 'database.pid'): string {
  const { cache, data, dataIsNamed, state } = folders;
  return `
import { startDatabase } from ${runtimeModule('local/postgres/postgres')};
    const folders = ${JSON.stringify({ cache, data, dataIsNamed, state })};
    const database = await startDatabase({ databaseUrl: null, folders, ${keep} });
    console.log(${printed});
    setInterval(() => undefined, 1000);`;
}
