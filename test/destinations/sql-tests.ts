import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { RECORD_COLUMNS } from '../../src/consent/record/columns.js';
import { openDestination } from '../../src/destinations/open-destination.js';
import {
  DestinationError,
  MarkerMovedError,
  type Batch,
  type Destination,
  type DestinationTables,
  type ListBatch,
  type ReadRecord,
  type StoredMember,
  type StoredRow,
  type Written,
} from '../../src/destinations/destination.js';
import { at, batchOf, markerAt, subscriber, TABLES, UNSUBSCRIBED } from './records.js';

/** What the same tests need of every kind of server. */
export interface TestServer {
  url(): string;
  /** Removes all tables of the test database. */
  clear(): Promise<void>;
  /** Runs statements as somebody who may do everything. */
  execute(...statements: string[]): Promise<void>;
  /** Rows of a query, with values as texts. */
  ask(query: string): Promise<(string | null)[][]>;
  /** A name of a column or table in a statement. */
  quote(name: string): string;
}

/** The tests of every kind of server, within the suite of one. */
export function testsOf(server: TestServer): void {
  const opened: Destination[] = [];
  beforeEach(() => server.clear());
  after(() => Promise.all(opened.map((destination) => destination.close())));

  async function destination(tables: Partial<DestinationTables> = {}): Promise<Destination> {
    const made = openDestination(server.url(), { ...TABLES, ...tables });
    opened.push(made);
    await made.prepare();
    return made;
  }

  describe('what is written', () => {
    it('is what is read again, in every column', async () => {
      const to = await destination();
      const record = subscriber('01A', {
        email: 'Zoë+’"\\\n\t?@example.com',
        external_id: '€ 🦊 %_',
        email_marketing_custom_method_detail: "'); drop table klaviyo_consent; --",
        whatsapp_marketing_consent: 'SUBSCRIBED',
        whatsapp_marketing_can_receive: true,
        whatsapp_marketing_valid_until: null,
      });
      assert.deepEqual(await write(to, [record], { isFirst: true }), nothing({ added: 1 }));
      const row = (await to.rowsOf(['01A'])).get('01A');
      for (const { name } of RECORD_COLUMNS) {
        if (name.startsWith('may_send')) continue;
        assert.equal(row?.[name], record.stated[name] ?? null, name);
      }
      assert.equal(row?.['may_send_email_marketing'], true);
      assert.equal(row?.['may_send_sms_marketing'], true);
      assert.equal(row?.['may_send_whatsapp_marketing'], true);
      assert.equal(row?.['may_send_mobile_push_marketing'], false);
      assert.deepEqual(await write(to, [record]), nothing());
    });

    it('is a change only where something differs, and the history says what', async () => {
      const to = await destination();
      await write(to, [subscriber('01A'), subscriber('01B')], { isFirst: true });
      const written = await write(to, [subscriber('01A', UNSUBSCRIBED), subscriber('01B')], {
        readAt: at('10:15'),
      });
      assert.equal(written.changed, 1);
      assert.deepEqual(
        written.changes.map(({ profileId, thing, before, after: then, happenedAt }) => [
          profileId,
          thing,
          before,
          then,
          happenedAt,
        ]),
        [
          ['01A', 'email_marketing', 'SUBSCRIBED', 'UNSUBSCRIBED', '2026-03-01T00:00:00.000001Z'],
          [
            '01A',
            'email_marketing_suppressions',
            '[]',
            UNSUBSCRIBED.email_marketing_suppressions,
            '2026-03-01T00:00:00.000001Z',
          ],
        ],
      );
      assert.deepEqual(
        await server.ask(
          'select profile_id, channel, old_value, new_value, noticed_by, run_id from klaviyo_consent_history order by id',
        ),
        [
          ['01A', 'email_marketing', 'SUBSCRIBED', 'UNSUBSCRIBED', 'events', 'run-2'],
          [
            '01A',
            'email_marketing_suppressions',
            '[]',
            UNSUBSCRIBED.email_marketing_suppressions,
            'events',
            'run-2',
          ],
        ],
      );
      const [one, other] = await rowsOf(to);
      assert.equal(one?.row['may_send_email_marketing'], false);
      assert.equal(one?.row['may_send_sms_marketing'], true);
      assert.equal(one?.changedAt, '2026-11-27T10:15:00.000000Z');
      assert.equal(one?.firstSeenAt, '2026-11-27T10:00:00.000000Z');
      assert.equal(other?.changedAt, '2026-11-27T10:00:00.000000Z');
      assert.equal(other?.lastReadAt, '2026-11-27T10:15:00.000000Z');
    });

    it('is nothing for a row that a whole reading finds as it is', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')], { isFirst: true, noticedBy: 'first_run' });
      const before = await rowsOf(to);
      await write(to, [subscriber('01A')], { noticedBy: 'sweep', readAt: at('11:00') });
      assert.deepEqual(await rowsOf(to), before);
      const marker = markerAt(3, { sweptAt: at('11:00') });
      await to.write(batchOf([]), marker, 2);
      const [[readAt] = []] = await server.ask('select last_read_at from klaviyo_consent_current');
      assert.match(String(readAt), /2026-11-27.11:00:00/);
    });

    it('keeps what a reading does not state, and clears what it states to be nothing', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      const { email_marketing_method: _, ...stated } = subscriber('01A').stated;
      await write(to, [{ profileId: '01A', stated: { ...stated, phone_number: null } }]);
      const row = (await to.rowsOf(['01A'])).get('01A');
      assert.equal(row?.['email_marketing_method'], 'FORM');
      assert.equal(row?.['phone_number'], null);
      assert.equal(row?.['may_send_sms_marketing'], false);
    });

    it('is stored although no database could hold it as it is', async () => {
      const to = await destination();
      const odd = subscriber('01A', { external_id: 'a\0b\uD800c', email_marketing_method: 'x' });
      await write(to, [odd, subscriber('01B')]);
      assert.equal((await to.rowsOf(['01A'])).get('01A')?.['external_id'], 'a\uFFFDb\uFFFDc');
      assert.deepEqual(await write(to, [odd], { readAt: at('12:00') }), nothing());
    });

    it('distinguishes ids and values that differ in case or accents alone', async () => {
      const to = await destination();
      const ids = ['01a', '01A', '01á', '01à'];
      await write(
        to,
        ids.map((id) => subscriber(id, { external_id: 'x' })),
      );
      assert.equal(await to.count(), 4);
      const written = await write(to, [subscriber('01a', { external_id: 'X' })]);
      assert.equal(written.changed, 1);
      assert.deepEqual(
        (await rowsOf(to)).map((row) => row.profileId),
        ['01A', '01a', '01à', '01á'],
      );
    });
  });

  describe('a reading that is older', () => {
    it('than the row changes nothing', async () => {
      const to = await destination();
      await write(to, [subscriber('01A', UNSUBSCRIBED)], { readAt: at('10:10') });
      const late = { ...subscriber('01A'), readAt: at('10:05') };
      assert.deepEqual(await write(to, [late], { readAt: at('10:20') }), nothing());
      const row = (await to.rowsOf(['01A'])).get('01A');
      assert.equal(row?.['may_send_email_marketing'], false);
    });

    it('than one that found the row as it is changes nothing either', async () => {
      const to = await destination();
      await write(to, [subscriber('01A', UNSUBSCRIBED)], { readAt: at('10:00') });
      await write(to, [subscriber('01A', UNSUBSCRIBED)], { readAt: at('10:10') });
      await write(to, [subscriber('01A')], { readAt: at('10:05'), noticedBy: 'sweep' });
      const row = (await to.rowsOf(['01A'])).get('01A');
      assert.equal(row?.['may_send_email_marketing'], false);
    });

    it('than the last whole reading changes nothing, and is read again if it is nobody known', async () => {
      const to = await destination();
      await write(to, [subscriber('01A', UNSUBSCRIBED)]);
      await to.write(batchOf([]), markerAt(2, { sweptAt: at('11:00') }), 1);
      const late = batchOf([subscriber('01A'), subscriber('01B')], { readAt: at('10:30') });
      const marker = markerAt(3, { sweptAt: at('11:00') });
      assert.deepEqual(await to.write(late, marker, 2), nothing({ readAgain: ['01B'] }));
      assert.equal((await to.rowsOf(['01A'])).get('01A')?.['may_send_email_marketing'], false);
    });

    it('than the news that the profile is gone does not bring it back', async () => {
      for (const onDeleted of ['keep', 'erase'] as const) {
        await server.clear();
        const to = await destination({ onDeleted });
        await write(to, [subscriber('01A')]);
        const gone = ['01A', '01B'].map((profileId) => ({ profileId, mergedInto: null }));
        await write(to, [], { gone, readAt: at('10:10') });
        const written = await write(to, [subscriber('01A'), subscriber('01B')], {
          readAt: at('10:05'),
        });
        assert.deepEqual(
          written,
          nothing({ readAgain: onDeleted === 'keep' ? ['01B'] : ['01A', '01B'] }),
        );
        assert.equal(await to.count(), 0);
      }
    });
  });

  describe('a profile that is gone', () => {
    it('stays as deleted, and nothing may be sent to it', async () => {
      const to = await destination();
      await write(to, [subscriber('01A'), subscriber('01B')]);
      const written = await write(to, [], {
        gone: [{ profileId: '01A', mergedInto: null }],
        readAt: at('10:30'),
      });
      assert.equal(written.removed, 1);
      const [row] = await rowsOf(to);
      assert.equal(row?.deletedAt, '2026-11-27T10:30:00.000000Z');
      assert.equal(row?.row['email'], '01a@example.com');
      assert.ok(
        Object.entries(row?.row ?? {}).every(
          ([name, value]) => !name.startsWith('may_send') || value === false,
        ),
      );
      assert.deepEqual(await to.idsAfter(null, 9), ['01B']);
      assert.equal(await to.count(), 1);
      assert.deepEqual([...(await to.rowsOf(['01A', '01B'])).keys()], ['01B']);
      assert.deepEqual([...(await to.sample(9)).keys()], ['01B']);
      assert.deepEqual(await server.ask('select profile_id from klaviyo_consent_current'), [
        ['01B'],
      ]);
      const again = { gone: [{ profileId: '01A', mergedInto: null }], readAt: at('10:40') };
      assert.deepEqual(await write(to, [], again), nothing());
    });

    it('comes back as it is read then', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      await write(to, [], { gone: [{ profileId: '01A', mergedInto: null }], readAt: at('10:30') });
      const written = await write(to, [subscriber('01A')], { readAt: at('10:45') });
      assert.equal(written.changed, 1);
      assert.deepEqual(
        written.changes.map(({ thing, before, after: then }) => [thing, before, then]),
        [
          ['profile', 'deleted', 'present'],
          ['email_marketing', 'SUBSCRIBED', 'SUBSCRIBED'],
          ['sms_marketing', 'SUBSCRIBED', 'SUBSCRIBED'],
        ],
      );
      const [row] = await rowsOf(to);
      assert.equal(row?.deletedAt, null);
      assert.equal(row?.row['may_send_email_marketing'], true);
    });

    it('keeps one row where it was merged, and says into which', async () => {
      const to = await destination({ onDeleted: 'erase' });
      await write(to, [subscriber('01A'), subscriber('01B')]);
      const written = await write(to, [], {
        gone: [{ profileId: '01A', mergedInto: '01B' }],
        readAt: at('10:30'),
      });
      assert.equal(written.removed, 1);
      const [row] = await rowsOf(to);
      assert.equal(row?.mergedInto, '01B');
      assert.equal(row?.row['may_send_sms_marketing'], false);
      assert.deepEqual(await to.idsAfter(null, 9), ['01B']);
    });

    it('is erased with all who became it, but for marks that lead to nobody', async () => {
      const to = await destination({ onDeleted: 'erase' });
      await write(
        to,
        ['01A', '01B', '01C', '01D'].map((id) => subscriber(id)),
      );
      await write(to, [], { gone: [{ profileId: '01A', mergedInto: '01B' }], readAt: at('10:10') });
      await write(to, [], { gone: [{ profileId: '01B', mergedInto: '01C' }], readAt: at('10:20') });
      const written = await write(to, [], {
        gone: [{ profileId: '01C', mergedInto: null }],
        readAt: at('10:30'),
      });
      assert.equal(written.removed, 1);
      const rows = await rowsOf(to);
      assert.equal(rows.length, 4);
      for (const row of rows) {
        if (row.profileId === '01D') continue;
        assert.match(row.profileId, /^deleted-[0-9a-f-]{36}$/);
        const { profileId: _, row: record, mergedInto, ...times } = row;
        assert.deepEqual(new Set(Object.values(times)), new Set(['2026-11-27T10:30:00.000000Z']));
        assert.equal(mergedInto, null);
        assert.ok(
          Object.entries(record).every(
            ([name, value]) => value === (name.startsWith('may_send') ? false : null),
          ),
        );
      }
      const history = await server.ask(
        'select profile_id, channel, new_value from klaviyo_consent_history',
      );
      const others = history.filter(([id]) => id !== '01D');
      assert.equal(others.length, 3);
      for (const [id, channel, value] of others) {
        assert.match(String(id), /^deleted-/);
        assert.deepEqual([channel, value], ['profile', 'deleted']);
      }
      assert.equal(await to.count(), 1);
    });
  });

  describe('memberships of lists', () => {
    const lists = 'list_members';
    const listOf = (others: Partial<ListBatch>): Partial<Batch> => ({
      lists: [
        {
          listId: 'NEWS01',
          listName: 'News',
          members: [],
          left: [],
          whole: null,
          isRemembered: false,
          ...others,
        },
      ],
    });
    const member = (
      profileId: string,
      readAt: string,
      joinedAt = '2026-03-01T00:00:00.000001Z',
    ) => ({
      profileId,
      joinedAt,
      readAt: at(readAt),
    });
    /** In short: list, profile, day and microseconds of joining, minute of leaving, last minute read. */
    const stored = async () =>
      (
        await server.ask(
          `select list_id, profile_id, list_name, joined_at, left_at, last_read_at from ${lists} order by 1, 2`,
        )
      ).map(([list, profile, name, joined, left, read]) =>
        [
          list,
          profile,
          name,
          joined?.slice(8, 10),
          joined?.slice(20).replace('+00', '').padEnd(6, '0'),
          left?.slice(11, 16) ?? '-',
          read?.slice(11, 16),
        ].join(' '),
      );

    it('begin, end and begin again, and keep microseconds', async () => {
      const to = await destination({ lists });
      await write(to, [subscriber('01A'), subscriber('01B')]);
      const members = [member('01A', '10:00'), member('01B', '10:00')];
      const { members: begun } = await write(to, [], listOf({ members }));
      assert.deepEqual(begun, {
        joinedAt: ['2026-03-01T00:00:00.000001Z', '2026-03-01T00:00:00.000001Z'],
        left: 0,
      });
      const left = [{ profileId: '01A', readAt: at('10:10') }];
      assert.equal((await write(to, [], listOf({ left }))).members?.left, 1);
      assert.equal((await write(to, [], listOf({ left }))).members?.left, 0);
      assert.deepEqual(await stored(), [
        'NEWS01 01A News 01 000001 10:10 10:10',
        'NEWS01 01B News 01 000001 - 10:00',
      ]);
      assert.deepEqual(await to.listsOf(['01A', '01B']), new Map([['01B', ['NEWS01']]]));
      assert.deepEqual(await server.ask(`select profile_id from ${lists}_current`), [['01B']]);
      // Read before the person left, and written later.
      await write(to, [], listOf({ members: [member('01A', '10:05')] }));
      assert.equal((await stored())[0], 'NEWS01 01A News 01 000001 10:10 10:10');
      const back = member('01A', '10:20', '2026-03-02T00:00:00.5Z');
      await write(to, [], listOf({ members: [back] }));
      assert.equal((await stored())[0], 'NEWS01 01A News 02 500000 - 10:20');
    });

    it('end if a whole reading did not show them, unless they began after it', async () => {
      const to = await destination({ lists });
      const ids = ['01A', '01B', '01C', '01D'];
      await write(
        to,
        ids.map((id) => subscriber(id)),
      );
      const [one, other] = [member('01A', '10:00'), member('01B', '10:00')];
      const late = member('01C', '10:00', '2026-03-09T00:00:00Z');
      await write(to, [], listOf({ members: [one, other, late] }));
      // Read while the whole reading goes on.
      await write(to, [], listOf({ members: [member('01D', '10:35')] }));
      const { members } = await write(to, [], {
        readAt: at('10:40'),
        ...listOf({
          members: [member('01A', '10:31')],
          isRemembered: true,
          whole: { since: at('10:30'), joinedBefore: '2026-03-08T00:00:00Z' },
        }),
      });
      assert.deepEqual(members, { joinedAt: [], left: 1 });
      assert.deepEqual(await stored(), [
        'NEWS01 01A News 01 000001 - 10:31',
        'NEWS01 01B News 01 000001 10:40 10:30',
        'NEWS01 01C News 09 000000 - 10:00',
        'NEWS01 01D News 01 000001 - 10:35',
      ]);
      const gone = { since: at('11:00'), joinedBefore: null };
      assert.equal((await write(to, [], listOf({ whole: gone }))).members?.left, 3);
      assert.deepEqual(await to.heldLists(), new Map());
    });

    it('have the name that the list has', async () => {
      const to = await destination({ lists });
      await write(to, [subscriber('01A')]);
      await write(to, [], listOf({ members: [member('01A', '10:00')] }));
      await write(
        to,
        [],
        listOf({ listName: 'Old', listId: 'ANEW01', members: [member('01A', '10:00')] }),
      );
      await write(to, [], listOf({ listName: 'N\u00e9ws "1"\0' }));
      assert.deepEqual(
        await to.heldLists(),
        new Map([
          ['ANEW01', 'Old'],
          ['NEWS01', 'N\u00e9ws "1"\uFFFD'],
        ]),
      );
    });

    it('have one name, also while a reading of all of them is not at its end', async () => {
      const to = await destination({ lists });
      const ids = ['01A', '01B', '01C'];
      await write(
        to,
        ids.map((id) => subscriber(id)),
      );
      const members = ids.slice(0, 2).map((id) => member(id, '10:00'));
      await write(to, [], listOf({ members }));
      await write(to, [], listOf({ listName: 'Letters', members: [member('01B', '10:10')] }));
      const left = [{ profileId: '01B', readAt: at('10:20') }];
      await write(to, [], listOf({ listName: null, members: [member('01C', '10:20')], left }));
      assert.deepEqual(await stored(), [
        'NEWS01 01A Letters 01 000001 - 10:00',
        'NEWS01 01B Letters 01 000001 10:20 10:20',
        'NEWS01 01C Letters 01 000001 - 10:20',
      ]);
    });

    it('are of nobody who is not in the table, and end or go with the profile', async () => {
      for (const onDeleted of ['keep', 'erase'] as const) {
        await server.clear();
        const to = await destination({ lists, onDeleted });
        await write(to, [subscriber('01A'), subscriber('01B'), subscriber('01C')]);
        const ids = ['01A', '01B', '01C', '01X'];
        const members = ids.map((id) => member(id, '10:00'));
        assert.deepEqual(await to.unknownOf(ids), ['01X']);
        await write(to, [], listOf({ members }));
        const gone = [
          { profileId: '01A', mergedInto: null },
          { profileId: '01B', mergedInto: '01C' },
        ];
        await write(to, [], { gone, readAt: at('10:10') });
        await write(to, [], listOf({ members }));
        assert.deepEqual(await stored(), [
          ...(onDeleted === 'keep' ? ['NEWS01 01A News 01 000001 10:10 10:10'] : []),
          'NEWS01 01B News 01 000001 10:10 10:10',
          'NEWS01 01C News 01 000001 - 10:00',
        ]);
        const { members: pages } = await to.snapshot(async (snapshot) => {
          const all: StoredMember[] = [];
          for await (const page of snapshot.members ?? []) all.push(...page);
          return { members: all };
        });
        assert.deepEqual(
          pages.map(({ profileId, leftAt }) => [profileId, leftAt === null]),
          (await stored()).map((text) => [text.split(' ')[1], text.includes(' - ')]),
        );
      }
    });

    it('and the history are rid of whoever has no row, and keep all others', async () => {
      const to = await destination({ lists });
      await write(to, [subscriber('01A')]);
      await write(to, [subscriber('01B'), subscriber('01A', UNSUBSCRIBED)]);
      await write(to, [], listOf({ members: [member('01A', '10:00'), member('01B', '10:00')] }));
      const history = async () => server.ask('select profile_id from klaviyo_consent_history');
      const before = await history();
      await server.ask("delete from klaviyo_consent where profile_id = '01B'");
      assert.ok(before.some(([id]) => id === '01B'));
      await to.removeStrays();
      assert.deepEqual(await stored(), ['NEWS01 01A News 01 000001 - 10:00']);
      assert.deepEqual(
        await history(),
        before.filter(([id]) => id !== '01B'),
      );
      assert.notEqual((await history()).length, 0);
    });

    it('have a table with names of the mapping, which is checked and never altered', async () => {
      const columns = { profile_id: 'id', joined_at: 'since', email: 'mail' };
      const to = await destination({ lists, columns });
      await write(to, [subscriber('01A')]);
      await write(to, [], listOf({ members: [member('01A', '10:00')] }));
      assert.deepEqual(
        await server.ask(`select id from ${lists}_current where since < '2026-03-02'`),
        [['01A']],
      );
      await to.prepare();
      await server.execute(
        `drop view ${lists}_current`,
        `alter table ${lists} drop column list_name`,
      );
      await assert.rejects(to.prepare(), /"list_members" has another shape: list_name is missing/);
      await server.execute(
        `drop table ${lists}`,
        `create table ${lists} (list_id varchar(64), id varchar(64) primary key)`,
      );
      await assert.rejects(to.prepare(), /list_id, id should be the primary key/);
      assert.throws(
        () => openDestination(server.url(), { ...TABLES, columns: { list_id: 'x' } }),
        /no column list_id/,
      );
    });
  });

  describe('the marker', () => {
    it('is that of the last write, with its state', async () => {
      const to = openDestination(server.url(), TABLES);
      opened.push(to);
      assert.equal(await to.marker(), null);
      await to.prepare();
      assert.equal(await to.marker(), null);
      const marker = markerAt(1, {
        sweptAt: '2026-11-27T09:00:00.123456Z',
        state: { b: [1, { a: null }], a: 'é' },
      });
      await to.write(batchOf([]), marker, 0);
      assert.deepEqual(await to.marker(), marker);
    });

    it('keeps out a process that another was ahead of', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      for (const expected of [0, 2]) {
        await assert.rejects(
          to.write(batchOf([subscriber('01B')]), markerAt(expected + 1), expected),
          MarkerMovedError,
        );
      }
      assert.equal(await to.count(), 1);
      assert.equal((await to.marker())?.generation, 1);
    });

    it('lets one of several first writers write', async () => {
      const to = await destination();
      const ends = await Promise.allSettled(
        ['01A', '01B', '01C'].map((id) => to.write(batchOf([subscriber(id)]), markerAt(1), 0)),
      );
      const refused = ends.filter((end) => end.status === 'rejected');
      assert.equal(refused.length, 2);
      for (const { reason } of refused)
        assert.ok(reason instanceof MarkerMovedError, String(reason));
      assert.equal(await to.count(), 1);
    });

    it('lets one of several later writers write', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      const ends = await Promise.allSettled(
        ['01B', '01C', '01D'].map((id) => to.write(batchOf([subscriber(id)]), markerAt(2), 1)),
      );
      assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal(await to.count(), 2);
    });

    it('keeps out another sync, until it is reset', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      const other = markerAt(2, { syncId: 'other' });
      await assert.rejects(to.write(batchOf([]), other, 1), {
        name: 'DestinationError',
        message: /another sync writes here: nightly.*table of its own, or reset/,
      });
      const anew = markerAt(0, { syncId: 'other' });
      await to.reset(anew);
      assert.deepEqual(await to.marker(), anew);
      await to.write(batchOf([]), { ...other, generation: 1 }, 0);
      assert.equal(await to.count(), 1);
    });
  });

  describe('reading', () => {
    it('goes page by page in the order of ids, at one moment', async () => {
      const to = await destination();
      const ids = Array.from(
        { length: 4_500 },
        (_, i) => `01${String((i * 7919) % 4_500).padStart(5, '0')}`,
      );
      await write(
        to,
        ids.map((id) => subscriber(id)),
      );
      const seen: string[] = [];
      await to.snapshot(async ({ marker, rows }) => {
        assert.equal(marker?.generation, 1);
        for await (const page of rows) {
          if (seen.length === 0) await write(to, [subscriber('0199999')], { readAt: at('11:00') });
          seen.push(...page.map(({ profileId }) => profileId));
        }
      });
      assert.deepEqual(seen, ids.toSorted());
      assert.deepEqual(await to.idsAfter('0104498', 9), ['0104499', '0199999']);
      assert.equal(await to.count(), 4_501);
      const sample = await to.sample(50);
      assert.equal(sample.size, 50);
      assert.notDeepEqual([...sample.keys()], [...(await to.sample(50)).keys()]);
    });

    it('of nobody is nobody', async () => {
      const to = await destination({ history: null });
      assert.deepEqual(await write(to, []), nothing());
      assert.deepEqual(await to.rowsOf([]), new Map());
      assert.deepEqual(await to.sample(5), new Map());
      assert.deepEqual(await rowsOf(to), []);
      assert.equal(await to.count(), 0);
      assert.deepEqual(await to.idsAfter(null, 5), []);
    });
  });

  describe('names', () => {
    it('are those of the mapping', async () => {
      const columns = {
        profile_id: 'Klaviyo id',
        email: 'e-mail',
        merged_into: 'order',
        last_read_at: 'read$',
      };
      const to = await destination({ columns, onDeleted: 'erase' });
      await write(to, [subscriber('01A'), subscriber('01B')]);
      await write(to, [], { gone: [{ profileId: '01A', mergedInto: '01B' }], readAt: at('10:30') });
      await write(to, [], { gone: [{ profileId: '01B', mergedInto: null }], readAt: at('10:40') });
      assert.equal((await rowsOf(to)).length, 2);
      await write(to, [subscriber('01C')], { readAt: at('10:50') });
      const names = Object.values(columns).map((name) => server.quote(name));
      const rows = await server.ask(
        `select ${names.slice(0, 3).join(', ')} from klaviyo_consent_current`,
      );
      assert.deepEqual(rows, [['01C', '01c@example.com', null]]);
      await to.prepare();
    });

    const refused: [string, Partial<DestinationTables>, RegExp][] = [
      ['an unknown column', { columns: { mail: 'x' } }, /no column mail.*docs\/destinations/],
      ['two columns of one name', { columns: { email: 'External_ID' } }, /name of two things/],
      [
        'a history that is the table',
        { history: 'klaviyo_consent' },
        /"klaviyo_consent".*two things/,
      ],
      ['a table of three parts', { table: 'a.b.c' }, /schema\.table/],
      ['a name that could end a statement', { table: 'a"; drop table x' }, /Use letters/],
      ['a name with a placeholder', { columns: { email: 'e?mail' } }, /Use letters/],
      ['a long name', { table: 'x'.repeat(60) }, /more than \d\d bytes/],
    ];
    for (const [name, tables, message] of refused) {
      it(`refuses ${name}`, () => {
        assert.throws(() => openDestination(server.url(), { ...TABLES, ...tables }), {
          name: 'DestinationError',
          message,
        });
      });
    }
  });

  describe('an existing table', () => {
    before(() => server.clear());

    it('is used if it has the shape, and may have more columns', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      await server.execute(
        'alter table klaviyo_consent add note varchar(9)',
        `alter table klaviyo_consent add shop varchar(9) not null default 'main'`,
      );
      await to.prepare();
      await write(to, [subscriber('01A', UNSUBSCRIBED), subscriber('01B')], {
        readAt: at('11:00'),
      });
      assert.deepEqual(await server.ask('select shop from klaviyo_consent where note is null'), [
        ['main'],
        ['main'],
      ]);
    });

    it('is refused with all that is wrong with it', async () => {
      const to = await destination();
      await server.execute(
        'drop view klaviyo_consent_current',
        'alter table klaviyo_consent drop column external_id',
        'alter table klaviyo_consent add must int not null',
        'create unique index one_email on klaviyo_consent (changed_at)',
      );
      await assert.rejects(to.prepare(), (error) => {
        assert.ok(error instanceof DestinationError);
        assert.equal(error.passing, false);
        assert.match(error.message, /external_id is missing and should be \w*text;/);
        assert.match(
          error.message,
          /must is not of this product and should allow null or have a default/,
        );
        assert.match(error.message, /changed_at is unique and should not be/);
        assert.match(error.message, /never altered/);
        return true;
      });
    });

    it('is refused if it has rows that no sync wrote', async () => {
      const to = await destination();
      await write(to, [subscriber('01A')]);
      await server.execute('drop view klaviyo_consent_current', 'drop table klaviyo_consent_sync');
      await assert.rejects(to.prepare(), /has rows, and no sync wrote them/);
      await server.execute('delete from klaviyo_consent', 'delete from klaviyo_consent_history');
      await to.prepare();
    });

    it('is refused if it is a view', async () => {
      await server.execute('create view klaviyo_consent as select 1 as profile_id');
      await assert.rejects(destination(), /"klaviyo_consent" is a view/);
    });

    it('is prepared once by several at a time', async () => {
      const all = await Promise.all(Array.from({ length: 4 }, () => destination()));
      await write(all[0] as Destination, [subscriber('01A')]);
      assert.equal(await all[3]?.count(), 1);
    });
  });

  function rowsOf(to: Destination): Promise<StoredRow[]> {
    return to.snapshot(async ({ rows }) => {
      const all: StoredRow[] = [];
      for await (const page of rows) all.push(...page);
      return all;
    });
  }

  async function write(
    to: Destination,
    records: readonly ReadRecord[],
    others: Partial<Batch> = {},
  ): Promise<Written> {
    const before = await to.marker();
    const generation = before?.generation ?? 0;
    return to.write(batchOf(records, others), markerAt(generation + 1), generation);
  }
}

function nothing(others: Partial<Written> = {}): Written {
  return { added: 0, changed: 0, removed: 0, changes: [], readAgain: [], members: null, ...others };
}
