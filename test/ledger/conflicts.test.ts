import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Intent, IntentPart } from '../../src/contracts/intents.js';
import {
  askForMembership,
  copyFailedIntents,
  reportedParts,
  settleDuplicates,
  settleParts,
  settleUnsent,
  type Ledger,
} from '../../src/ledger/index.js';
import { intent, part } from '../support/intents.js';
import { ACCOUNT, store, openTestLedger } from '../support/ledger.js';
import { LIST_SETTINGS } from '../support/settings.js';

const in2019 = '2019-01-01T00:00:00Z';
const in2021 = '2021-01-01T00:00:00Z';
const in2024 = '2024-01-01T00:00:00Z';
const NUMBER = '+12015550123';
const OTHER = '+12015550124';

type Said = Partial<IntentPart>;
const yes = (consentedAt: string | null, more: Said = {}): IntentPart =>
  part({ consentedAt, ...more });
const no = (consentedAt: string | null, more: Said = {}): IntentPart =>
  part({ operation: 'unsubscribe', consentedAt, ...more });
const suppressed = (more: Said = {}): IntentPart =>
  part({ channel: 'suppression', operation: 'suppress', ...more });
const unknown = (consentedAt: string | null, more: Said = {}): IntentPart =>
  part({ consentedAt, rejected: 'consent_value_unknown', ...more });

/** Who a row is about, what it says, and how that ends: a reason, or `open`. */
type Row = readonly [who: Partial<Intent>, said: IntentPart, ends: string];

describe('a statement of the source that was refused and may be a no', () => {
  let ledger: Ledger;
  let migrations = 0;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  const newId = (): string => `conflict-${(migrations += 1)}`;

  async function endsOf(id: string): Promise<string[]> {
    const ends: string[] = [];
    for await (const page of reportedParts(ledger.db, id)) {
      for (const { outcome, reason } of page) ends.push(reason ?? outcome ?? 'open');
    }
    return ends;
  }

  function cases(table: Readonly<Record<string, readonly Row[]>>): void {
    for (const [name, rows] of Object.entries(table)) {
      test(name, async () => {
        const id = newId();
        await store(
          ledger,
          id,
          rows.map(([who, said]) => intent({ ...who, parts: [said] })),
        );
        const expected = rows.map(([, , ends]) => ends);
        await settleDuplicates(ledger.db, id);
        assert.deepEqual(await endsOf(id), expected);
        await settleDuplicates(ledger.db, id);
        assert.deepEqual(await endsOf(id), expected, 'settling again changes it');
      });
    }
  }

  const blocked = 'newer_statement_refused';
  const word = 'consent_value_unknown';

  describe('by what it says and when', () => {
    cases({
      'stops consent that is older': [
        [{}, yes(in2019), blocked],
        [{}, unknown(in2024), word],
      ],
      'does not stop consent that is newer': [
        [{}, yes(in2024), 'open'],
        [{}, unknown(in2019), word],
      ],
      'stops consent of the same moment': [
        [{}, unknown(in2021), word],
        [{}, yes(in2021), blocked],
      ],
      'counts as newest where it has no date': [
        [{}, unknown(null), word],
        [{}, yes(in2024), blocked],
      ],
      'stops consent without a date': [
        [{}, unknown(in2019), word],
        [{}, yes(null), blocked],
      ],
      'stops all older consent and leaves the newer': [
        [{}, yes(in2019), blocked],
        [{}, unknown(in2021), word],
        [{}, yes(null), blocked],
        [{}, yes(in2024), 'open'],
      ],
      'is the newest of several': [
        [{}, unknown(in2019), word],
        [{}, yes(in2021), blocked],
        [{}, unknown(in2024), word],
      ],
      'may be a suppression whose word is not known, which is newer than everything': [
        [{}, yes(in2024), blocked],
        [{}, suppressed({ consentedAt: in2019, rejected: word }), word],
      ],
      'may be an opt-out that could not be carried out': [
        [{ phoneNumber: NUMBER }, yes(in2019, { channel: 'sms' }), blocked],
        [{}, no(in2021, { channel: 'sms', rejected: 'phone_invalid' }), 'phone_invalid'],
        [{ phoneNumber: OTHER }, yes(in2024, { channel: 'sms' }), 'open'],
      ],
      'is no yes that was refused for its date or its number': [
        [{}, yes(in2019), 'open'],
        [{}, yes(null, { rejected: 'consent_date_missing' }), 'consent_date_missing'],
        [{}, yes(null, { rejected: 'consent_date_in_future' }), 'consent_date_in_future'],
        [{ phoneNumber: NUMBER }, yes(in2019, { channel: 'sms' }), 'open'],
        [{}, yes(in2024, { channel: 'sms', rejected: 'phone_invalid' }), 'phone_invalid'],
      ],
      'is no row that asks for nothing': [
        [{}, yes(in2019), 'open'],
        [{}, yes(null, { rejected: 'nothing_asked' }), 'nothing_asked'],
      ],
      'is about its channel alone': [
        [{ phoneNumber: NUMBER }, yes(in2019, { channel: 'sms' }), 'open'],
        [{ phoneNumber: NUMBER }, unknown(in2024, { channel: 'sms_transactional' }), word],
        [{}, unknown(in2024), word],
      ],
      'stops no membership, as an opt-out does not': [
        [{}, part({ channel: 'list', operation: 'add_to_list' }), 'open'],
        [{}, unknown(in2024), word],
      ],
    });
  });

  describe('beside what was understood', () => {
    cases({
      'lets an opt-out go that the stopped consent would have taken back': [
        [{}, no(in2019), 'open'],
        [{}, yes(in2021), blocked],
        [{}, unknown(in2024), word],
      ],
      'leaves the last opt-out': [
        [{}, yes(in2019), blocked],
        [{}, unknown(in2021), word],
        [{}, no(in2024), 'open'],
      ],
      'leaves the suppression': [
        [{}, suppressed(), 'open'],
        [{}, yes(in2021), blocked],
        [{}, unknown(in2024), word],
      ],
      'leaves consent that takes back an opt-out since': [
        [{}, unknown(in2019), word],
        [{}, no(in2021), 'superseded_by_consent'],
        [{}, yes(in2024), 'open'],
      ],
    });
  });

  describe('by whom it is about', () => {
    const sms = { channel: 'sms' } as const;
    const push = { channel: 'push' } as const;
    const ada = { email: 'ada@example.com' };
    const bob = { email: 'bob@example.com' };
    const typed = { email: null, rawEmail: 'ada@example' };
    const badNumber = { ...no(in2024, sms), rejected: 'phone_invalid' } as const;
    cases({
      'stops nobody else': [
        [ada, unknown(in2024), word],
        [bob, yes(in2019), 'open'],
      ],
      'means the number of its row, not others of the address': [
        [{ ...ada, phoneNumber: NUMBER }, unknown(in2024, sms), word],
        [{ ...bob, phoneNumber: NUMBER }, yes(in2019, sms), blocked],
        [{ ...ada, phoneNumber: OTHER }, yes(in2019, sms), 'open'],
      ],
      'means every number of the address where its own is mistyped': [
        [ada, badNumber, 'phone_invalid'],
        [{ ...ada, phoneNumber: NUMBER }, yes(in2019, sms), blocked],
        [{ ...ada, phoneNumber: OTHER }, yes(in2019, sms), blocked],
        [{ ...bob, phoneNumber: '+12015550125' }, yes(in2019, sms), 'open'],
      ],
      'then means these numbers in all rows': [
        [ada, badNumber, 'phone_invalid'],
        [{ ...ada, phoneNumber: NUMBER }, no(in2019, sms), 'open'],
        [{ ...bob, phoneNumber: NUMBER }, yes(in2021, sms), blocked],
      ],
      'means the address where a landline is to be texted': [
        [
          { ...ada, phoneNumber: '+442079460123' },
          no(in2024, { ...sms, rejected: 'phone_landline' }),
          'phone_landline',
        ],
        [
          { ...bob, phoneNumber: '+442079460124' },
          unknown(in2024, { ...sms, note: 'clamped_to_1990 phone_landline' }),
          word,
        ],
        [{ ...ada, phoneNumber: NUMBER }, yes(in2019, sms), blocked],
        [{ ...bob, phoneNumber: OTHER }, yes(in2019, sms), blocked],
      ],
      'means the landline itself for WhatsApp': [
        [
          { ...ada, phoneNumber: '+442079460123' },
          unknown(in2024, { channel: 'whatsapp', note: 'phone_landline' }),
          word,
        ],
        [{ ...ada, phoneNumber: NUMBER }, yes(in2019, { channel: 'whatsapp' }), 'open'],
        [{ ...bob, phoneNumber: '+442079460123' }, yes(in2019, { channel: 'whatsapp' }), blocked],
      ],
      'means every address of the number where its own is mistyped': [
        [
          { ...typed, phoneNumber: NUMBER },
          no(in2024, { rejected: 'email_invalid' }),
          'email_invalid',
        ],
        [{ ...ada, phoneNumber: NUMBER }, yes(in2019), blocked],
        [{ ...bob, phoneNumber: OTHER }, yes(in2019), 'open'],
      ],
      'means the address alone where both are good': [
        [{ ...ada, phoneNumber: NUMBER }, unknown(in2024), word],
        [{ ...bob, phoneNumber: NUMBER }, yes(in2019), 'open'],
      ],
      'stops nobody where nothing names a person': [
        [typed, no(in2024, { rejected: 'email_invalid' }), 'email_invalid'],
        [
          { email: null },
          yes(in2024, { rejected: 'row_malformed', operation: 'unsubscribe' }),
          'row_malformed',
        ],
        [{ email: null, phoneNumber: NUMBER }, yes(in2019, sms), 'open'],
        [ada, yes(in2019), 'open'],
      ],
      'means who is known by the number alone, for push': [
        [{ email: null, phoneNumber: NUMBER }, unknown(in2024, push), word],
        [{ email: null, phoneNumber: NUMBER }, yes(in2019, push), blocked],
        [{ ...ada, phoneNumber: NUMBER }, yes(in2019, push), blocked],
        [{ email: null, phoneNumber: OTHER }, yes(in2019, push), 'open'],
      ],
      'is no opt-out that only lost against newer consent': [
        [{ ...ada, phoneNumber: NUMBER }, no(in2021, push), 'superseded_by_consent'],
        [ada, yes(in2024, push), 'open'],
        [{ email: null, phoneNumber: NUMBER }, yes(in2019, push), 'open'],
      ],
      'means the number as well where the consent to push has no address': [
        [{ ...ada, phoneNumber: NUMBER }, unknown(in2024, push), word],
        [{ email: null, phoneNumber: NUMBER }, yes(in2019, push), blocked],
        [{ ...bob, phoneNumber: NUMBER }, yes(in2019, push), 'open'],
      ],
    });
  });

  test('is said by another migration and stops nobody in this one', async () => {
    const [one, two] = [newId(), newId()];
    await store(ledger, one, [intent({ parts: [unknown(in2024)] })]);
    await store(ledger, two, [intent({ parts: [yes(in2019)] })]);
    await settleDuplicates(ledger.db, two);
    assert.deepEqual(await endsOf(two), ['open']);
  });

  const copyOf = (retryOf: string, id: string): Promise<number> =>
    copyFailedIntents(ledger.db, {
      id,
      accountId: ACCOUNT,
      sourceName: 'people.csv',
      sourceSha256: 'sha',
      preset: 'generic',
      settings: LIST_SETTINGS,
      requestHash: `retry ${retryOf}`,
      share: 1,
      retryOf,
      program: null,
    });

  test('stops older consent in a retry as well, and in the retry of that', async () => {
    const first = newId();
    await store(ledger, first, [
      intent({ parts: [yes(in2019)] }),
      intent({ parts: [unknown(in2021)] }),
      intent({ email: 'b@example.com', parts: [yes(in2019)] }),
    ]);
    let retried = first;
    for (const run of ['the retry', 'its retry']) {
      // Ends before its conflicts are settled, as in a preflight that refuses the run.
      await settleUnsent(ledger.db, retried, null, 'migration_stopped');
      const id = newId();
      assert.equal(await copyOf(retried, id), 2, run);
      retried = id;
    }
    await settleDuplicates(ledger.db, retried);
    assert.deepEqual(await endsOf(retried), [blocked, 'open']);
  });

  test('is not what a retry makes of people who had said no and may be subscribed all the same', async () => {
    const first = newId();
    await store(ledger, first, [
      intent({ parts: [yes(in2019)] }),
      intent({ email: 'b@example.com', parts: [yes(in2019)] }),
    ]);
    const unconfirmed = {
      channel: 'email',
      outcome: 'unconfirmed',
      settledBy: 'profile_lookup',
    } as const;
    await settleParts(ledger.db, first, [
      { rowNumber: 1, ...unconfirmed, reason: 'opt_out_not_read_back' },
      { rowNumber: 2, ...unconfirmed, reason: 'not_seen_before_deadline' },
    ]);
    const retry = newId();
    assert.equal(await copyOf(first, retry), 1);
    const emails: (string | null)[] = [];
    for await (const page of reportedParts(ledger.db, retry)) {
      emails.push(...page.map(({ email }) => email));
    }
    assert.deepEqual(emails, ['b@example.com']);
  });

  test('keeps its row off the list, though another channel of it is consented already', async () => {
    const id = newId();
    const sms = part({ channel: 'sms' });
    await store(ledger, id, [
      intent({ phoneNumber: NUMBER, parts: [unknown(in2024), sms] }),
      intent({ email: 'b@example.com', phoneNumber: OTHER, parts: [sms] }),
    ]);
    await settleDuplicates(ledger.db, id);
    const consented = { channel: 'sms', outcome: 'already_consented', reason: null } as const;
    await settleParts(
      ledger.db,
      id,
      [1, 2].map((rowNumber) => ({ rowNumber, ...consented, settledBy: 'guard' })),
    );
    await askForMembership(ledger.db, id, [1, 2]);
    assert.deepEqual(await endsOf(id), [word, 'already_consented', 'already_consented', 'open']);
  });
});

describe('push of people without an e-mail address', () => {
  test('is compared by their number', async () => {
    const ledger = await openTestLedger();
    const row = (said: IntentPart): Intent =>
      intent({ email: null, phoneNumber: NUMBER, parts: [{ ...said, channel: 'push' }] });
    await store(ledger, 'push', [row(no(in2024)), row(yes(in2019)), row(no(in2019))]);
    await settleDuplicates(ledger.db, 'push');
    const ends: (string | null)[] = [];
    for await (const page of reportedParts(ledger.db, 'push')) {
      ends.push(...page.map(({ reason }) => reason));
    }
    await ledger.close();
    assert.deepEqual(ends, [null, 'conflicting_opt_out', 'duplicate_phone']);
  });
});
