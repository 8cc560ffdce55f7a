import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openQuery, openSource } from '../../src/importers/open-source.js';
import type { ImportOptions } from '../../src/importers/options.js';
import { SourceError, type SourceErrorCode } from '../../src/connectors/source-error.js';
import { OPTIONS, inShort, intentsOfSource } from '../support/sources.js';

/** What the same tests need of PostgreSQL and of MySQL. */
export interface Server {
  url(): string;
  execute(...statements: string[]): Promise<void>;
  /** Statements that make `people` with two rows and a row of blanks. */
  readonly people: readonly string[];
  /** A query of `count` generated people. */
  many(count: number): string;
  /** Ends the sessions of imports. */
  endImports(): Promise<void>;
  /** Sessions of imports that are open. */
  imports(): Promise<number>;
}

/** The tests of every kind of database, within the suite of one. */
export function testsOf(server: Server): void {
  const read = async (
    sql: string,
    options: Partial<ImportOptions> = {},
  ): Promise<(string | number | null)[][]> => {
    const source = await openQuery(server.url(), sql, { ...OPTIONS, ...options });
    const intents = await intentsOfSource(source);
    return intents.map((intent) => [intent.line, intent.email, ...inShort(intent)]);
  };

  before(() => server.execute(...server.people));

  it('reads the columns of the result as header and counts rows', async () => {
    const source = await openSource(server.url(), OPTIONS, 'select * from people order by id');
    assert.equal(source.preset, 'generic');
    assert.deepEqual(source.columns, [
      'id',
      'email',
      'email_consent',
      'email_consented_at',
      'joined',
    ]);
    assert.doesNotMatch(source.name, /s3cret/);
    assert.deepEqual(await read('select * from people order by id;'), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
      [2, 'bob@example.com', 'email nothing_asked'],
      [3, null, 'email identifier_missing'],
    ]);
  });

  it('gives the same rows each time', async () => {
    const source = await openQuery(server.url(), server.many(2_500), OPTIONS);
    for (let time = 0; time < 2; time++) {
      const intents = await intentsOfSource(source);
      assert.equal(intents.length, 2_500);
      assert.equal(new Set(intents.map(({ email }) => email)).size, 2_500);
      assert.deepEqual(
        intents.map(({ line }) => line),
        Array.from({ length: 2_500 }, (_, i) => i + 1),
      );
    }
  });

  it('asks for the zone of times without one, and takes it', async () => {
    const sql = `select email, 'yes' as email_consent, joined as email_consented_at from people where id = 1`;
    await assert.rejects(read(sql, { timezone: null }), {
      code: 'timezone_needed',
      row: 1,
      column: 'email_consented_at',
    });
    assert.deepEqual(await read(sql, { timezone: 'America/New_York' }), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T10:06:07Z'],
    ]);
  });

  it('refuses a value that is longer than any line of a file', async () => {
    const sql = `select email, repeat('x', 2000000) as email_consent from people order by id`;
    await assert.rejects(read(sql), {
      code: 'record_too_long',
      row: 1,
      column: 'email_consent',
      message: /longer than a million characters/,
    });
    assert.equal(await settled(server, 0), 0);
  });

  it('takes times with a zone without asking', async () => {
    const sql = `select email, 'yes' as email_consent, email_consented_at from people where id = 1`;
    assert.deepEqual(await read(sql, { timezone: null }), [
      [1, 'ada@example.com', 'email subscribe 2021-03-04T05:06:07Z'],
    ]);
  });

  const refused: [string, string, SourceErrorCode, RegExp][] = [
    ['a mistake in the SQL', 'selec 1', 'query_failed', /own client/],
    ['a table that is not there', 'select email from nobody', 'query_failed', /nobody/],
    ['a change', 'delete from people', 'query_failed', /read-only.*SELECT/],
    [
      'a second statement',
      'select email, 1 as email_consent from people; commit',
      'query_failed',
      /own client/,
    ],
    [
      'a result without rows',
      'select email, email_consent from people where id > 9',
      'file_without_rows',
      /no rows/,
    ],
    ['columns of no layout', 'select id from people', 'layout_unknown', /has: id/],
  ];
  for (const [name, sql, code, says] of refused) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(read(sql), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.startsWith(error.file) && error.message.endsWith(error.remedy));
        assert.doesNotMatch(JSON.stringify(error) + error.message + error.stack, /s3cret/);
        return true;
      });
      assert.equal(await settled(server, 0), 0);
    });
  }

  const badUrls: [string, (url: URL) => void, SourceErrorCode][] = [
    ['a wrong password', (url) => (url.password = 'wr0ng'), 'database_refused'],
    ['an unknown user', (url) => (url.username = 'nobody_here'), 'database_refused'],
    ['an unknown database', (url) => (url.pathname = '/nowhere'), 'database_refused'],
    ['a host that is not there', (url) => (url.hostname = 'db.invalid'), 'database_unreachable'],
    ['no database', (url) => (url.pathname = ''), 'database_url_invalid'],
  ];
  for (const [name, change, code] of badUrls) {
    it(`names ${name} without the password`, async () => {
      const url = new URL(server.url());
      change(url);
      await assert.rejects(openQuery(url.href, 'select 1', OPTIONS), (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, code, error.message);
        const all = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
        assert.doesNotMatch(all, /s3cret|p%40ss|wr0ng/);
        return true;
      });
    });
  }

  it('names a port on which nobody listens', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    listener.close();
    await once(listener, 'close');
    const url = new URL(server.url());
    url.hostname = 'localhost';
    url.port = String(port);
    await assert.rejects(openQuery(url.href, 'select 1', OPTIONS), {
      code: 'database_unreachable',
      message: /ECONNREFUSED/,
    });
  });

  it('closes its connection where the reader stops early', async () => {
    const source = await openQuery(server.url(), server.many(200_000), OPTIONS);
    for await (const batch of source.intents) {
      assert.equal(batch.length, 1_000);
      // The one that read the columns may still be on its way out.
      assert.equal(await settled(server, 1), 1);
      break;
    }
    assert.equal(await settled(server, 0), 0);
  });

  it('says after which row the connection was lost', async () => {
    const source = await openQuery(server.url(), server.many(400_000), OPTIONS);
    let rows = 0;
    await assert.rejects(
      async () => {
        for await (const batch of source.intents) {
          if (rows === 0) await server.endImports();
          rows += batch.length;
        }
      },
      (error) => {
        assert.ok(error instanceof SourceError, String(error));
        assert.equal(error.code, 'database_lost', error.message);
        assert.ok(rows > 0 && (error.row ?? 0) > rows, `${rows} rows, then ${error.row}`);
        return true;
      },
    );
  });
}

/** Sessions of imports, as soon as they are so many or after 10 s. */
export async function settled(server: Server, count: number): Promise<number> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    // Asked once a turn: a connection that the server is closing comes and goes in its list.
    const now = await server.imports();
    if (now === count || Date.now() >= deadline) return now;
    await pause(20);
  }
}
