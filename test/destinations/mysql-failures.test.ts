import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { openDestination } from '../../src/destinations/open-destination.js';
import type { Destination, DestinationTables } from '../../src/destinations/destination.js';
import { findMariadb, startMariadb, type TestMariadb } from '../connectors/mariadb.js';
import { failure, silentPort } from './failures.js';
import { at, batchOf, markerAt, subscriber, TABLES, UNSUBSCRIBED } from './records.js';

const program = findMariadb();
const skip = program === null ? 'there is no mariadbd here: apt-get install mariadb-server' : false;

describe('a destination on MySQL or MariaDB that', { skip }, () => {
  const opened: Destination[] = [];
  let mariadb: TestMariadb;

  before(async () => {
    mariadb = await startMariadb(program ?? '');
    await mariadb.execute(
      `create user 'bob'@'127.0.0.1' identified by 's3cret'`,
      `grant process on *.* to 'ada'@'127.0.0.1'`,
    );
  });
  beforeEach(() => mariadb.execute('drop database shop', 'create database shop'));
  after(async () => {
    await Promise.all(opened.map((destination) => destination.close()));
    await mariadb.stop();
  });

  function open(url: string, tables: Partial<DestinationTables> = {}): Destination {
    const destination = openDestination(url, { ...TABLES, ...tables });
    opened.push(destination);
    return destination;
  }

  function changed(change: (url: URL) => void): string {
    const url = new URL(mariadb.url);
    change(url);
    return url.href;
  }
  const asBob = (): string =>
    changed((url) => {
      url.username = 'bob';
      url.password = 's3cret';
    });

  describe('cannot be used', () => {
    it('says that nobody listens', async () => {
      const port = await silentPort();
      const to = open(changed((url) => (url.port = port)));
      await assert.rejects(to.prepare(), failure(true, /No connection.*ECONNREFUSED/));
    });

    it('says that the user is refused', async () => {
      const to = open(changed((url) => (url.password = 'wr0ng')));
      await assert.rejects(to.prepare(), failure(false, /refused this user/, /Check user/));
    });

    it('says that a parameter of the URL means nothing', () => {
      assert.throws(() => open(`${mariadb.url}?sslmode=require`), failure(false, /"sslmode"/));
    });

    it('says which rights are missing', async () => {
      await open(mariadb.url).prepare();
      await mariadb.execute(
        `grant select, delete on shop.klaviyo_consent to 'bob'@'127.0.0.1'`,
        `grant select on shop.klaviyo_consent_sync to 'bob'@'127.0.0.1'`,
      );
      await assert.rejects(
        open(asBob()).prepare(),
        failure(
          false,
          /may not INSERT, UPDATE in "klaviyo_consent"/,
          /GRANT INSERT, UPDATE ON `klaviyo_consent`/,
        ),
      );
      await assert.rejects(
        open(asBob(), { table: 'mine' }).prepare(),
        failure(false, /CREATE command denied.*Grant the right/),
      );
      await assert.rejects(
        open(asBob(), { table: 'nowhere.mine' }).prepare(),
        failure(false, /no database "nowhere"/),
      );
    });

    it('says which columns have another type, and that the engine has no transactions', async () => {
      await open(mariadb.url).prepare();
      await mariadb.execute(
        'use shop',
        `alter table klaviyo_consent modify email varchar(100), modify changed_at timestamp(6) not null,
          modify external_id mediumtext character set latin1, modify sms_marketing_consent mediumtext not null,
          modify profile_id varchar(64) collate utf8mb4_general_ci not null`,
      );
      await assert.rejects(
        open(mariadb.url).prepare(),
        failure(
          false,
          /email is varchar\(100\) and should be mediumtext;/,
          /changed_at is timestamp\(6\) and should be datetime\(6\) not null/,
          /external_id is mediumtext character set latin1 and should be mediumtext/,
          /sms_marketing_consent is not null and should allow null/,
          /profile_id is varchar\(64\) collate utf8mb4_general_ci and should be varchar\(64\) collate utf8mb4_bin/,
        ),
      );
      await mariadb.execute('use shop', 'alter table klaviyo_consent engine = Aria');
      await assert.rejects(
        open(mariadb.url).prepare(),
        failure(false, /table of the engine Aria, without transactions/),
      );
    });

    it('says that the server only reads', async () => {
      await mariadb.execute('set global read_only = on');
      try {
        await assert.rejects(
          open(mariadb.url).prepare(),
          failure(true, /read_only is on.*primary/),
        );
      } finally {
        await mariadb.execute('set global read_only = off');
      }
    });
  });

  it('has another time zone and forgiving settings writes the same', async () => {
    await mariadb.execute(
      `set global time_zone = '+05:45', global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'`,
    );
    try {
      const to = open(mariadb.url, { table: 'shop.zoned', history: 'shop.zoned_history' });
      await to.prepare();
      const record = subscriber('01A', { external_id: `\\' or 1 = 1 -- "` });
      await to.write(batchOf([record]), markerAt(1), 0);
      const row = (await to.rowsOf(['01A'])).get('01A');
      assert.equal(row?.['external_id'], record.stated['external_id']);
      assert.equal(row?.['email_marketing_consent_timestamp'], '2026-01-02T03:04:05.000006Z');
      assert.equal((await to.write(batchOf([record]), markerAt(2), 1)).changed, 0);
    } finally {
      await mariadb.execute(`set global time_zone = 'SYSTEM', global sql_mode = default`);
    }
  });

  describe('fails in the middle', () => {
    let to: Destination;
    let other: Connection;
    beforeEach(async () => {
      to = open(mariadb.url);
      await to.prepare();
      await to.write(batchOf([subscriber('01A'), subscriber('01B')]), markerAt(1), 0);
      other = await createConnection({ uri: mariadb.url });
    });

    afterEach(() => other.destroy());

    async function everything(): Promise<unknown> {
      const tables = ['', '_history', '_sync'].map((end) => `klaviyo_consent${end}`);
      const rows = [];
      for (const table of tables)
        rows.push((await other.query(`select * from ${table} order by 1`))[0]);
      return rows;
    }

    const batch = batchOf([subscriber('01A', UNSUBSCRIBED), subscriber('01C')], {
      readAt: at('11:00'),
      gone: [{ profileId: '01B', mergedInto: null }],
    });

    const failures: [string, number, boolean, RegExp][] = [
      ['on a full disk', 1021, true, /words of the server.*Make room/],
      [
        'at a value that is there',
        1062,
        false,
        /ER_DUP_ENTRY, 1062\).|1062\. Remove the constraint/,
      ],
    ];
    for (const [name, number, passing, says] of failures) {
      it(`${name}, has written nothing, and goes on afterwards`, async () => {
        const words = passing ? 'words of the server' : `Duplicate entry 'ada@example.com'`;
        await other.query(`create trigger fail before insert on klaviyo_consent_history for each row
          signal sqlstate 'HY000' set mysql_errno = ${number}, message_text = "${words}"`);
        const before = await everything();
        await assert.rejects(to.write(batch, markerAt(2), 1), failure(passing, says));
        assert.deepEqual(await everything(), before);
        await other.query('drop trigger fail');
        const written = await to.write(batch, markerAt(2), 1);
        assert.deepEqual([written.added, written.changed, written.removed], [1, 1, 1]);
      });
    }

    /** The id of the connection that waits for `other`. */
    async function waiting(): Promise<number> {
      for (;;) {
        // InnoDB renews this table only if nobody has read it for 100 ms.
        await pause(150);
        const [rows] = await other.query<RowDataPacket[]>(
          `select trx_mysql_thread_id as id from information_schema.innodb_trx where trx_state = 'LOCK WAIT'`,
        );
        if (rows[0] !== undefined) return Number(rows[0]['id']);
      }
    }

    it('with a killed connection, has written nothing, and goes on afterwards', async () => {
      await other.query('begin');
      await other.query(`select * from klaviyo_consent where profile_id = '01A' for update`);
      const writing = assert.rejects(
        to.write(batch, markerAt(2), 1),
        failure(true, /connection was lost|killed/),
      );
      await other.query(`kill ${await waiting()}`);
      await writing;
      await other.query('rollback');
      assert.equal(await to.count(), 2);
      assert.equal((await to.marker())?.generation, 1);
      assert.equal((await to.write(batch, markerAt(2), 1)).changed, 1);
    });

    it('in a deadlock with somebody else, has written nothing', async () => {
      // The server ends the transaction that has written less.
      await other.query('create table heavy (n int primary key) engine = InnoDB');
      await other.query('begin');
      await other.query('insert into heavy select seq from seq_1_to_5000');
      await other.query(`select * from klaviyo_consent where profile_id = '01A' for update`);
      const writing = assert.rejects(
        to.write(batch, markerAt(2), 1),
        failure(true, /Deadlock found.*1213.*tried again/),
      );
      await waiting();
      await other.query('select * from klaviyo_consent_sync for update');
      await writing;
      await other.query('rollback');
      assert.equal((await to.marker())?.generation, 1);
      assert.equal(await to.count(), 2);
    });
  });
});
