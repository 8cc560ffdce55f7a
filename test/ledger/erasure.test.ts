import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import {
  askAboutPerson,
  answerAboutPerson,
  assignJobs,
  beginSubmission,
  beginSyncRun,
  copyFailedIntents,
  countTotals,
  defineSync,
  erasePeople,
  finishErasures,
  mirrorOf,
  noteFound,
  noteOptOuts,
  openRepairs,
  findRepairs,
  optOutsOf,
  pendingRows,
  personHistory,
  rememberPeople,
  rememberedPeople,
  reportedParts,
  settleParts,
  storeConsentBefore,
  unsentRows,
  type Ledger,
  type OptOut,
  type PersonToErase,
} from '../../src/ledger/index.js';
import { keepRows } from '../../src/ledger/erasure/rows.js';
import { until } from '../workflows/phases.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, openTestLedger, send, store } from '../support/ledger.js';
import { LIST_SETTINGS } from '../support/settings.js';

const LONG_AGO = '2024-01-02T03:04:05.000Z';
/** By the clock that the ledger and this test share. */
const now = () => new Date().toISOString();

const ADA = {
  email: 'ada@example.com',
  spelled: 'Ada@Example.com',
  phoneNumber: '+12015550123',
  profileId: '01ERASEDADA',
};

/** Text of hers that must be nowhere afterwards, in any table. */
const HERS = [
  ADA.email,
  ADA.phoneNumber,
  '201-555-0123',
  '2015550123',
  ADA.profileId,
  'ada-external-1',
  'token-of-ada',
  '1990-05-06',
  '2019-03-04',
  // Hashes that anybody could guess.
  ...[ADA.email, ADA.spelled, ADA.phoneNumber].map((each) => {
    const hash = createHash('md5').update(each).digest('hex');
    return hash.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }),
  'sha-of-ada-alone',
];

describe('erasing people from the ledger', () => {
  let ledger: Ledger;
  before(async () => (ledger = await openTestLedger()));
  after(() => ledger.close());

  const erase = (people: readonly PersonToErase[], optOuts: readonly OptOut[] = []) =>
    erasePeople(ledger.db, ACCOUNT, { people, optOuts, optOutsOf: () => [] });
  const ada = { email: ADA.spelled, phoneNumber: ADA.phoneNumber, profileId: ADA.profileId };

  const end = (...ids: readonly string[]) =>
    sql`update consentry.run set finished_at = now() - interval '3 hours'
      where id = any(${ids}::text[])`.execute(ledger.db);

  /** Every table and column that has any of these texts, whatever its type. */
  async function placesOf(texts: readonly string[]): Promise<string[]> {
    const { rows: columns } = await sql<{ table: string; column: string; kind: string }>`
      select table_name as table, column_name as column, udt_name as kind
      from information_schema.columns
      where table_schema = 'consentry' and udt_name not in
        ('int2', 'int4', 'int8', 'float4', 'float8', 'bool', 'numeric', 'int4multirange')
      order by 1, 2`.execute(ledger.db);
    assert.ok(columns.some(({ kind }) => kind === 'jsonb') && columns.length > 100);
    const cells = columns.map(({ table, column, kind }) => {
      const text =
        kind === 'bytea'
          ? sql`encode(${sql.ref(column)}, 'escape') || encode(${sql.ref(column)}, 'hex')`
          : sql`${sql.ref(column)}::text`;
      return sql`
        select ${`${table}.${column}`}::text as place, lower(${text}) as text
        from consentry.${sql.ref(table)}`;
    });
    const { rows } = await sql<{ found: string }>`
      select distinct place || ': ' || given.text as found
      from (${sql.join(cells, sql` union all `)}) cell
      join unnest(${texts.map((each) => each.toLowerCase())}::text[]) as given (text)
        on strpos(cell.text, given.text) > 0
      order by 1`.execute(ledger.db);
    return rows.map(({ found }) => found);
  }

  async function partsOf(id: string) {
    const parts = [];
    for await (const page of reportedParts(ledger.db, id)) parts.push(...page);
    return parts;
  }

  const optOut = (change: Partial<OptOut> = {}): OptOut => ({
    channel: 'email',
    identifier: ADA.email,
    listId: null,
    at: LONG_AGO,
    source: 'suppression',
    ...change,
  });

  /** A source of hers and of somebody else, with all that a run makes of them. */
  async function migrated(id: string): Promise<void> {
    const dated = (channel: 'email' | 'sms' | 'push') =>
      part({ channel, consentedAt: '2019-03-04T05:06:07Z' });
    await store(ledger, id, [
      intent({
        line: 2,
        email: ADA.email,
        rawEmail: ` ${ADA.spelled} `,
        phoneNumber: ADA.phoneNumber,
        rawPhone: '201-555-0123',
        country: 'US',
        dateOfBirth: '1990-05-06',
        push: { token: 'token-of-ada', platform: 'ios' },
        parts: [dated('email'), dated('sms'), dated('push')],
      }),
      intent({ line: 3, email: 'bob@example.com' }),
      // What no address or number could be read in.
      intent({
        line: 4,
        email: null,
        rawEmail: `Ada <${ADA.spelled}> (old)`,
        parts: [part({ rejected: 'email_invalid' })],
      }),
      intent({
        line: 5,
        email: 'eve@example.com',
        phoneNumber: null,
        rawPhone: '(201) 555-0123',
        parts: [part(), part({ channel: 'sms', rejected: 'phone_invalid' })],
      }),
      // Her number in somebody else's row, and in a row of its own.
      intent({ line: 6, email: 'kim@example.com', phoneNumber: ADA.phoneNumber }),
      intent({
        line: 7,
        email: null,
        phoneNumber: ADA.phoneNumber,
        parts: [part({ channel: 'sms' })],
      }),
    ]);
    await assignJobs(ledger.db, id);
    await storeConsentBefore(
      ledger.db,
      id,
      [1, 2].map((rowNumber) => ({
        rowNumber,
        oneProfile: true,
        parts: [{ channel: 'email' as const, consent: 'NEVER_SUBSCRIBED', at: null }],
      })),
      0,
    );
    await sql`
      insert into consentry.given_consent
        (migration_number, row_number, channel, source, sent_at, read_back_at)
      select number, row_number, 'email', 'form', now(), now() from consentry.migration,
        unnest('{1,2}'::int[]) as row_number where id = ${id}`.execute(ledger.db);
  }

  it('leaves nothing of them in any table, and everybody else and every count as they were', async () => {
    const { db } = ledger;
    await migrated('old');
    const { id: submission } = { id: await send(db, 'old', [{ rowNumber: 2, channel: 'email' }]) };
    assert.ok(submission);
    await settleParts(
      db,
      'old',
      [1, 2, 4, 5].map((rowNumber) => ({
        rowNumber,
        channel: 'email' as const,
        outcome: rowNumber === 1 ? 'unconfirmed' : 'confirmed',
        reason: null,
        settledBy: 'profile_lookup' as const,
      })),
    );
    // Of her alone: the settings and the hashes of such a run tell who it was for.
    await store(ledger, 'alone', [intent({ email: ADA.email })], {
      customSource: `${ADA.spelled} called, or ${ADA.phoneNumber}`,
    });
    await sql`
      update consentry.migration set source_sha256 = 'sha-of-ada-alone', failure = ${ADA.profileId},
        source_name = ${`${ADA.email}.csv`} where id = 'alone'`.execute(db);
    await sql`update consentry.run set request_hash = 'sha-of-ada-alone', held = ${ADA.email}
      where id = 'alone'`.execute(db);
    await end('old', 'alone');
    for (const who of [ADA, { email: 'bob@example.com', phoneNumber: '+12015550199' }]) {
      await noteOptOuts(db, ACCOUNT, [
        optOut({ identifier: who.email }),
        optOut({ identifier: who.phoneNumber, channel: 'sms', source: 'event' }),
      ]);
      await sql`
        insert into consentry.asked
        select ${ACCOUNT}, '', 'email', md5(${who.email})::uuid, now(), 999, 1`.execute(db);
    }
    await rememberPeople(db, ACCOUNT, {
      profiles: [
        {
          id: ADA.profileId,
          email: ADA.email,
          phoneNumber: ADA.phoneNumber,
          saysNo: true,
          consent: {},
        },
        { id: '01BOB', email: 'bob@example.com', phoneNumber: null, saysNo: false, consent: {} },
      ],
      addresses: [ADA.email, ADA.spelled, ADA.phoneNumber, 'bob@example.com'],
      readAt: now(),
    });
    await askAboutPerson(db, {
      id: 'asked',
      accountId: ACCOUNT,
      person: { by: 'phone_number', value: ADA.phoneNumber },
    });
    await answerAboutPerson(db, 'asked', { readAt: LONG_AGO, profiles: [] });
    await defineSync(db, {
      id: 'sync',
      accountId: ACCOUNT,
      name: null,
      destination: 'x',
      settings: {} as never,
    });
    await beginSyncRun(db, { id: 'run', syncId: 'sync', accountId: ACCOUNT, workflowId: 'w' });
    await noteFound(db, 'run', {
      rows: 1,
      differences: [
        {
          profileId: ADA.profileId,
          column: 'external_id',
          inTable: 'ada-external-1',
          inKlaviyo: null,
        },
      ],
    });
    const totals = await countTotals(db, 'old');
    const outcomes = (await partsOf('old')).map(({ rowNumber, channel, outcome, reason }) => [
      rowNumber,
      channel,
      outcome,
      reason,
    ]);
    const bobs = await placesOf(['bob@example.com', '+12015550199', '01BOB']);
    const before = await placesOf(HERS);
    for (const hers of HERS)
      assert.ok(
        before.some((each) => each.endsWith(`: ${hers.toLowerCase()}`)),
        hers,
      );

    await erase([ada]);

    assert.deepEqual(await placesOf(HERS), []);
    assert.deepEqual(await placesOf(['bob@example.com', '+12015550199', '01BOB']), bobs);
    assert.deepEqual(await countTotals(db, 'old'), totals);
    const parts = await partsOf('old');
    assert.deepEqual(
      parts.map(({ rowNumber, channel, outcome, reason }) => [rowNumber, channel, outcome, reason]),
      outcomes,
    );
    assert.deepEqual(
      parts
        .filter(({ channel }) => channel === 'email')
        .map((each) => [each.line, each.erased, each.email]),
      [
        [0, true, null],
        [3, false, 'bob@example.com'],
        [0, true, null],
        [5, false, 'eve@example.com'],
        [6, false, 'kim@example.com'],
      ],
    );
    assert.deepEqual(await personHistory(db, { by: 'email', value: ADA.email }), []);
    // She had not been confirmed: nobody is left to retry.
    const retry = { id: 'retry', accountId: ACCOUNT, sourceName: 'x', sourceSha256: 'x' };
    const settings = { ...LIST_SETTINGS };
    const asNew = { ...retry, preset: 'generic', settings, requestHash: 'retry', share: 1 };
    assert.equal(await copyFailedIntents(db, { ...asNew, retryOf: 'old', program: null }), 0);
    // Somebody may be erased twice.
    await erase([ada]);
    assert.deepEqual(await placesOf(HERS), []);
    assert.equal(await finishErasures(db, ACCOUNT), 0);
  });

  it('keeps their opt-outs as marks that the guard asks, by HMAC-SHA256', async () => {
    const { db } = ledger;
    const known = async (identifier: string, account = ACCOUNT) =>
      (await optOutsOf(db, account, [identifier])).map(({ channel, listId, at }) => [
        channel,
        listId,
        at,
      ]);
    assert.deepEqual(await known(ADA.email), [['email', null, LONG_AGO]]);
    assert.deepEqual(await known(ADA.phoneNumber), [['sms', null, LONG_AGO]]);
    assert.deepEqual(await known(ADA.email, 'Other1'), []);
    assert.deepEqual(await known('nobody@example.com'), []);
    const { rows } = await sql<{ inner_key: Buffer; mark: Buffer }>`
      select inner_key, mark from consentry.erasure_key, consentry.erased_opt_out
      where channel = 'email'`.execute(db);
    const [row] = rows;
    assert.ok(row !== undefined);
    const key = Buffer.from(row.inner_key.map((byte) => byte ^ 0x36));
    const hmac = createHmac('sha256', key).update(`${ACCOUNT} ${ADA.email}`).digest('hex');
    assert.equal(row.mark.toString('hex'), hmac);
    assert.ok(new Set(key).size > 16, 'the key is random');
  });

  it('leaves them out of the call of a run that had read nothing of it', async () => {
    const { db } = ledger;
    await store(ledger, 'again', [
      intent({ email: ADA.email }),
      intent({ email: 'new@example.com' }),
      intent({
        email: 'x@example.com',
        phoneNumber: ADA.phoneNumber,
        parts: [part({ channel: 'sms' })],
      }),
    ]);
    await assignJobs(db, 'again');
    const begun = await beginSubmission(db, {
      migrationId: 'again',
      jobNumber: 1,
      bringsIn: true,
      optsOutOf: null,
      asks: null,
      endpoint: 'bulk_subscribe_profiles',
      now: null,
      parts: [
        { rowNumber: 1, channel: 'email' },
        { rowNumber: 2, channel: 'email' },
        { rowNumber: 3, channel: 'sms' },
      ],
    });
    assert.deepEqual(begun.state === 'begun' && begun.parts, [{ rowNumber: 2, channel: 'email' }]);
    const [, , skipped] = await partsOf('again');
    assert.equal(skipped?.reason, 'opted_out_during_run');
    await end('again');
  });

  it('makes an address that is missing from the mirror no new one', async () => {
    const { db } = ledger;
    await sql`
      insert into consentry.account_feed (account_id, feed, since, read_at, whole_since, complete)
      values (${ACCOUNT}, 'profiles', now(), now(), now(), true)`.execute(db);
    await sql`delete from consentry.opt_out`.execute(db);
    await sql`update consentry.profile set says_no = false`.execute(db);
    assert.equal((await mirrorOf(db, ACCOUNT))?.saysNo, true);
    // Of somebody whose profile may be there, the address has to be looked up again.
    await erase([{ email: 'Bob@example.com', phoneNumber: null, profileId: null }]);
    const remembered = await rememberedPeople(db, ACCOUNT, [
      { spelling: 'bob@example.com', identifier: 'bob@example.com' },
    ]);
    assert.equal(remembered.size, 0);
    assert.equal((await mirrorOf(db, ACCOUNT))?.complete, false);
  });

  it('marks what they last said, not what Klaviyo had stopped to show', async () => {
    const { db } = ledger;
    const [withdrawn, shown, unread] = ['was-out', 'is-out', 'not-read'].map(
      (name) => `${name}@example.com`,
    ) as [string, string, string];
    await noteOptOuts(
      db,
      ACCOUNT,
      [withdrawn, unread].map((identifier) => optOut({ identifier })),
    );
    await sql`update consentry.opt_out set shown_at = now() - interval '2 days'`.execute(db);
    await noteOptOuts(db, ACCOUNT, [optOut({ identifier: shown })]);
    const profile = (id: string, email: string) => ({
      id,
      email,
      phoneNumber: null,
      saysNo: false,
      consent: {},
    });
    await rememberPeople(db, ACCOUNT, {
      profiles: [profile('01A', withdrawn), profile('01B', shown)],
      addresses: [],
      readAt: now(),
    });
    await erase([
      { email: withdrawn, phoneNumber: null, profileId: '01A' },
      { email: shown, phoneNumber: null, profileId: '01B' },
      { email: unread, phoneNumber: null, profileId: '01C' },
    ]);
    const marked = await optOutsOf(db, ACCOUNT, [withdrawn, shown, unread]);
    assert.deepEqual(marked.map(({ identifier }) => identifier).sort(), [shown, unread]);
  });

  it('waits for a run that works with them, and holds them meanwhile', async () => {
    const { db } = ledger;
    const who = { email: 'run@example.com', phoneNumber: '+12015550177', profileId: '01RUN' };
    const hers = [who.email, who.phoneNumber, who.profileId];
    const row = intent({ email: who.email, phoneNumber: who.phoneNumber });
    await store(ledger, 'ended', [row]);
    await end('ended');
    await store(ledger, 'working', [row]);
    await assignJobs(db, 'working');
    await send(db, 'working', [{ rowNumber: 1, channel: 'email' }]);
    const said = [optOut({ identifier: who.email, source: 'profile' })];
    // Withdrawn before she was read for the last time: no opt-out any more, however long she waits.
    await noteOptOuts(db, ACCOUNT, [optOut({ identifier: who.phoneNumber, channel: 'sms' })]);
    await sql`update consentry.opt_out set shown_at = now() - interval '2 days'
      where identifier = ${who.phoneNumber}`.execute(db);
    await rememberPeople(db, ACCOUNT, {
      profiles: [
        {
          id: who.profileId,
          email: who.email,
          phoneNumber: who.phoneNumber,
          saysNo: false,
          consent: {},
        },
      ],
      addresses: [],
      readAt: now(),
    });

    await erase([who], said);
    // The run can still unsubscribe her again, and no other run takes her in.
    await findRepairs(db, 'working');
    const [repair] = await openRepairs(db, 'working');
    assert.equal(repair?.email, who.email);
    assert.equal((await optOutsOf(db, ACCOUNT, [who.email])).length, 2);
    assert.equal(await finishErasures(db, ACCOUNT), 1);
    assert.equal((await partsOf('ended'))[0]?.email, who.email);

    // Its end is not the end of what it has sent.
    await sql`update consentry.run set finished_at = now() where id = 'working'`.execute(db);
    await sql`update consentry.repair set closed_at = now()`.execute(db);
    await sql`update consentry.migration set repairs_noted_at = null`.execute(db);
    assert.equal(await finishErasures(db, ACCOUNT), 1);
    await end('working');
    // A worker that dies on the way leaves her whole; two may finish it.
    await assert.rejects(
      db.transaction().execute(async (tx) => {
        await finishErasures(tx, ACCOUNT);
        throw new Error('the worker was killed');
      }),
      /killed/,
    );
    assert.ok((await placesOf(hers)).length > 0);
    await Promise.all([finishErasures(db, ACCOUNT), finishErasures(db, ACCOUNT)]);
    assert.deepEqual(await placesOf(hers), []);
    assert.deepEqual(await optOutsOf(db, ACCOUNT, [who.email, who.phoneNumber]), [
      { channel: 'email', identifier: who.email, listId: null, at: LONG_AGO, source: 'profile' },
    ]);
  });

  it('finds whoever is copied into a new run in the same moment', async () => {
    const { db } = ledger;
    const who = { email: 'copied@example.com', phoneNumber: null, profileId: null };
    await store(ledger, 'copied-from', [intent({ email: who.email })]);
    await end('copied-from');
    let erasing = Promise.resolve();
    await db.transaction().execute(async (tx) => {
      await keepRows(sql`m.id = 'copied-from'`).execute(tx);
      erasing = erase([who]);
      await until('an erasure that waits', async () => {
        const { rows } = await sql`
          select from pg_stat_activity where datname = current_database()
            and wait_event_type = 'Lock' and query like '%for no key update of m%'`.execute(db);
        return rows.length > 0;
      });
      await store(ledger, 'copy', [intent({ email: who.email })]);
    });
    await erasing;
    assert.equal(await finishErasures(db, ACCOUNT), 1);
    await end('copy');
    assert.equal(await finishErasures(db, ACCOUNT), 0);
  });

  it('leaves nobody to look after in a run that waits for clicks', async () => {
    const { db } = ledger;
    const emails = ['click1@example.com', 'click2@example.com'];
    await store(
      ledger,
      'clicks',
      emails.map((email) => intent({ email })),
    );
    await assignJobs(db, 'clicks');
    await settleParts(
      db,
      'clicks',
      [1, 2].map((rowNumber) => ({
        rowNumber,
        channel: 'email' as const,
        outcome: 'pending_double_opt_in' as const,
        reason: null,
        settledBy: 'profile_lookup' as const,
      })),
    );
    await end('clicks');
    await erase([{ email: emails[0] ?? '', phoneNumber: null, profileId: null }]);
    const pending = await pendingRows(db, 'clicks', 0, 1);
    assert.deepEqual(
      pending.map(({ rowNumber }) => rowNumber),
      [2],
    );
    assert.equal((await unsentRows(db, 'clicks', [1])).length, 0);
  });

  it('erases an address that only the mirror knows, and keeps its opt-out as a mark', async () => {
    const profileId = '01ERASEDMIRROR';
    const email = 'new-of-mirror@example.com';
    await rememberPeople(ledger.db, ACCOUNT, {
      profiles: [{ id: profileId, email, phoneNumber: null, saysNo: true, consent: { of: email } }],
      addresses: [],
      readAt: now(),
    });
    const people = [{ email: 'old-of-mirror@example.com', phoneNumber: null, profileId }];
    await erasePeople(ledger.db, ACCOUNT, {
      people,
      optOuts: [],
      optOutsOf: ({ id }) => [optOut({ identifier: email, at: id === profileId ? LONG_AGO : '' })],
    });
    assert.deepEqual(await placesOf([email, profileId]), []);
    const optOuts = await optOutsOf(ledger.db, ACCOUNT, [email]);
    assert.deepEqual(
      optOuts.map(({ identifier, channel }) => [identifier, channel]),
      [[email, 'email']],
    );
  });

  it('does so for a thousand people among 100,000 rows within seconds', async () => {
    const { db } = ledger;
    await store(ledger, 'large', [intent({ email: 'first@example.com' })]);
    await sql`
      insert into consentry.intent (migration_number, row_number, line, email, phone_number,
        email_operation, raw_email)
      select m.number, n, n + 1, case when n % 100 > 0 then 'p' || n || '@example.com' end,
        '+1201' || (1000000 + n), 'subscribe', 'P' || n || '@example.com'
      from consentry.migration m, generate_series(2, 100000) as n where m.id = 'large'`.execute(db);
    await end('large');
    await sql`analyze consentry.intent`.execute(db);
    const people = Array.from({ length: 1_000 }, (_, n) => ({
      email: `P${n * 99 + 50}@example.com`,
      phoneNumber: `+1201${1_000_000 + n * 99 + 50}`,
      profileId: `01LARGE${n}`,
    }));
    const began = performance.now();
    await erase(
      people,
      people.map(({ email }) => optOut({ identifier: email.toLowerCase() })),
    );
    const tookMs = performance.now() - began;
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from consentry.intent i join consentry.migration m on m.number = i.migration_number
      where m.id = 'large' and i.erased`.execute(db);
    assert.equal(rows[0]?.n, 1_000);
    assert.ok(tookMs < 5_000, `it took ${tookMs} ms`);
  });
});
