import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import pg from 'pg';
import { openDestination } from '../../src/destinations/open-destination.js';
import type { Destination, DestinationTables } from '../../src/destinations/destination.js';
import { uniqueName } from '../support/stack.js';
import { failure, silentPort } from './failures.js';
import { startOwnPostgresql, type OwnPostgresql } from './own-postgresql.js';
import { at, batchOf, markerAt, subscriber, TABLES, UNSUBSCRIBED } from './records.js';

const PASSWORD = 's3cret:p@ss';

describe('a destination on PostgreSQL that', () => {
  const role = uniqueName('writer');
  const opened: Destination[] = [];
  let database: OwnPostgresql;
  let client: pg.Client;

  before(async () => {
    database = await startOwnPostgresql();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`create role "${role}" login password '${PASSWORD}'`);
  });
  beforeEach(async () => {
    await client.query('drop schema public cascade; create schema public');
    await client.query(`grant usage, create on schema public to "${role}"`);
  });
  after(async () => {
    await Promise.all(opened.map((destination) => destination.close()));
    await client.end();
    await database.stop();
  });

  function open(url: string, tables: Partial<DestinationTables> = {}): Destination {
    const destination = openDestination(url, { ...TABLES, ...tables });
    opened.push(destination);
    return destination;
  }

  function asRole(change: (url: URL) => void = () => undefined): string {
    const url = new URL(database.url);
    url.username = role;
    url.password = encodeURIComponent(PASSWORD);
    change(url);
    return url.href;
  }

  describe('cannot be used', () => {
    it('says that nobody listens', async () => {
      const port = await silentPort();
      const to = open(asRole((url) => (url.port = port)));
      await assert.rejects(
        to.prepare(),
        failure(true, /No connection.*ECONNREFUSED/, /Check host/),
      );
    });

    it('says that the user is refused', async () => {
      const to = open(asRole((url) => (url.username = 'nobody_here')));
      await assert.rejects(to.prepare(), failure(false, /refused this user/, /Check user/));
      const nowhere = open(asRole((url) => (url.pathname = '/nowhere')));
      await assert.rejects(nowhere.prepare(), failure(false, /refused this user/));
    });

    it('says that the URL is none', () => {
      assert.throws(() => open('postgres://host'), failure(false, /names no database/));
    });

    it('says which right is missing to create the tables', async () => {
      await client.query(`revoke create on schema public from "${role}", public`);
      const to = open(asRole());
      await assert.rejects(
        to.prepare(),
        failure(
          false,
          new RegExp(
            `may not create "klaviyo_consent" in the schema "public".*GRANT CREATE ON SCHEMA "public" TO "${role}"`,
          ),
        ),
      );
      await assert.rejects(
        open(asRole(), { table: 'nowhere.consent' }).prepare(),
        failure(false, /no schema "nowhere".*CREATE SCHEMA "nowhere"/),
      );
    });

    it('says which rights are missing to write into the tables', async () => {
      await open(database.url).prepare();
      const to = open(asRole());
      await client.query(`grant select, delete on all tables in schema public to "${role}"`);
      await assert.rejects(
        to.prepare(),
        failure(
          false,
          /may not INSERT, UPDATE in "klaviyo_consent"/,
          /GRANT INSERT, UPDATE ON "klaviyo_consent"/,
        ),
      );
      await client.query(`grant all on all tables in schema public to "${role}"`);
      await to.prepare();
      await to.write(batchOf([subscriber('01A')]), markerAt(1), 0);
    });

    it('says which columns have another type', async () => {
      await open(database.url).prepare();
      await client.query(`drop view klaviyo_consent_current;
        alter table klaviyo_consent alter email type varchar(100),
          alter changed_at type timestamp, alter email_marketing_suppressions type json,
          alter sms_marketing_consent set not null, drop constraint klaviyo_consent_pkey;
        alter table klaviyo_consent_history alter id type integer`);
      await assert.rejects(
        open(database.url).prepare(),
        failure(
          false,
          /email is character varying\(100\) and should be text;/,
          /changed_at is timestamp without time zone and should be timestamp with time zone not null/,
          /email_marketing_suppressions is json and should be jsonb/,
          /sms_marketing_consent is not null and should allow null/,
          /profile_id should be the primary key/,
        ),
      );
    });

    it('says that the history has another shape', async () => {
      await client.query('create table klaviyo_consent_history (id text primary key)');
      await assert.rejects(
        open(database.url).prepare(),
        failure(
          false,
          /"klaviyo_consent_history" has another shape: id is text and should be bigint not null; profile_id is missing/,
        ),
      );
      // Nothing was created before the check.
      const { rows } = await client.query(`select to_regclass('klaviyo_consent') as found`);
      assert.deepEqual(rows, [{ found: null }]);
    });

    it('says that the database cannot hold every text', async () => {
      const name = uniqueName('latin');
      await client.query(
        `create database "${name}" encoding 'LATIN1' locale 'C' template template0`,
      );
      const url = new URL(database.url);
      url.pathname = `/${name}`;
      const to = open(url.href);
      try {
        await assert.rejects(to.prepare(), failure(false, /encoding is LATIN1.*ENCODING 'UTF8'/));
      } finally {
        await to.close();
        await client.query(`drop database "${name}"`);
      }
    });
  });

  it('has another time zone, other dates and another isolation writes the same', async () => {
    await client.query(`alter role "${role}" set timezone to 'Asia/Kathmandu'`);
    await client.query(`alter role "${role}" set datestyle to 'German'`);
    await client.query(`alter role "${role}" set default_transaction_read_only to on`);
    await client.query(`alter role "${role}" set default_transaction_isolation to 'serializable'`);
    const to = open(asRole(), { table: 'public.zoned' });
    await to.prepare();
    await to.write(batchOf([subscriber('01A')]), markerAt(1), 0);
    const row = (await to.rowsOf(['01A'])).get('01A');
    assert.equal(row?.['email_marketing_consent_timestamp'], '2026-01-02T03:04:05.000006Z');
    assert.equal(row?.['sms_marketing_consent_timestamp'], '2025-12-31T23:59:59.999999Z');
    const again = await to.write(batchOf([subscriber('01A')]), markerAt(2), 1);
    assert.equal(again.changed, 0);
    const { rows } = await client.query<{ same: boolean }>(
      `select email_marketing_consent_timestamp = '2026-01-02 03:04:05.000006+00' as same from zoned`,
    );
    assert.deepEqual(rows, [{ same: true }]);
    await client.query(`alter role "${role}" reset all`);
  });

  describe('fails in the middle', () => {
    let to: Destination;
    beforeEach(async () => {
      to = open(database.url);
      await to.prepare();
      await to.write(batchOf([subscriber('01A'), subscriber('01B')]), markerAt(1), 0);
    });

    /** Rows, history and marker, without how the server writes them. */
    async function everything(): Promise<unknown> {
      const { rows } = await client.query(
        `select (select json_agg(r order by r.profile_id) from klaviyo_consent r) as rows,
          (select json_agg(h order by h.id) from klaviyo_consent_history h) as history,
          (select json_agg(m) from klaviyo_consent_sync m) as marker`,
      );
      return rows;
    }

    /** The history is written after the rows, and before the marker. */
    async function failAtHistory(action: string): Promise<void> {
      await client.query(`
        create function fail() returns trigger language plpgsql as $$ begin ${action}; return new; end $$;
        create trigger fail before insert on klaviyo_consent_history for each row execute function fail()`);
    }

    const batch = batchOf([subscriber('01A', UNSUBSCRIBED), subscriber('01C')], {
      readAt: at('11:00'),
      gone: [{ profileId: '01B', mergedInto: null }],
    });

    const failures: [string, string, boolean, RegExp][] = [
      [
        'on a full disk',
        `raise exception 'could not extend file: No space left on device' using errcode = '53100'`,
        true,
        /No space left.*53100.*Make room/,
      ],
      [
        'with a killed connection',
        'perform pg_terminate_backend(pg_backend_pid())',
        true,
        /terminating connection|connection was lost/,
      ],
      [
        'where it does not go together with another transaction',
        `raise exception 'could not serialize access' using errcode = '40001'`,
        true,
        /serialize.*tried again/,
      ],
      [
        'at a constraint of somebody else',
        `raise exception 'no email' using errcode = '23514', detail = 'Key (ada@example.com)'`,
        false,
        /23514.*Remove the constraint or the trigger/,
      ],
    ];
    for (const [name, action, passing, says] of failures) {
      it(`${name}, has written nothing, and goes on afterwards`, async () => {
        await failAtHistory(action);
        const before = await everything();
        await assert.rejects(to.write(batch, markerAt(2), 1), failure(passing, says));
        assert.deepEqual(await everything(), before);
        await client.query('drop trigger fail on klaviyo_consent_history');
        const written = await to.write(batch, markerAt(2), 1);
        assert.deepEqual([written.added, written.changed, written.removed], [1, 1, 1]);
      });
    }

    it('in a deadlock with somebody else, has written nothing', async () => {
      const other = new pg.Client({ connectionString: database.url });
      await other.connect();
      try {
        await other.query(`set deadlock_timeout to '1h'; begin`);
        await other.query(`update klaviyo_consent set email = email where profile_id = '01A'`);
        const before = await everything();
        const writing = assert.rejects(
          to.write(batch, markerAt(2), 1),
          failure(true, /deadlock detected \(40P01\)/),
        );
        await client.query(`do $$ begin loop
          exit when exists (select from pg_stat_activity where wait_event_type = 'Lock'
            and application_name = 'consentry sync' and datname = current_database());
          perform pg_sleep(0.01), pg_stat_clear_snapshot(); end loop; end $$`);
        // It waits for this transaction, which now waits for it.
        const waiting = other.query('update klaviyo_consent_sync set generation = generation');
        await writing;
        await waiting;
        await other.query('rollback');
        assert.deepEqual(await everything(), before);
      } finally {
        await other.end();
      }
    });

    it('because the tables were altered, says so', async () => {
      await client.query(
        'drop view klaviyo_consent_current; alter table klaviyo_consent drop column email',
      );
      await assert.rejects(
        to.write(batch, markerAt(2), 1),
        failure(false, /42703.*altered since they were checked/),
      );
    });
  });
});
