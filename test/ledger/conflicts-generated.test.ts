import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { reportedParts, settleDuplicates, type Ledger } from '../../src/ledger/index.js';
import { intentsOf } from '../support/sources.js';
import { modelEnds, type ModelRow, type SaidAt, type Word } from './conflict-model.js';
import { store, openTestLedger } from '../support/ledger.js';

const HEADER =
  'email,phone_number,email_consent,email_consented_at,sms_consent,sms_consented_at,suppressed,list';
/** Of one source; each has an address and a number of their own. */
const PEOPLE = 40;
const DATES: Record<SaidAt, string> = {
  '2019': '2019-05-06',
  '2021': '2021-05-06',
  '2024': '2024-05-06',
  '': '',
  soon: '2071-05-06',
  once: 'last summer',
};

const word = fc.constantFrom<Word>('', 'yes', 'yes', 'yes', 'unsubscribed', 'perhaps');
const date = fc.constantFrom(...(Object.keys(DATES) as SaidAt[]), '2019', '2021', '2024');
const identifier = fc.constantFrom('good', 'good', 'good', 'bad', 'none');
const row = fc.record<ModelRow>({
  email: identifier,
  phone: identifier,
  emailWord: word,
  emailDate: date,
  smsWord: word,
  smsDate: date,
  suppressed: fc.constantFrom('', '', '', '', '', '', 'yes', 'perhaps', 'lifted'),
  list: fc.constantFrom('', '', '', '', '', '', 'add', 'add', 'remove', 'perhaps'),
});
const person = fc.array(row, { minLength: 1, maxLength: 6 });

function line(row: ModelRow, nth: number): string {
  return [
    { good: `p${nth}@example.com`, bad: `p${nth}@example`, none: '' }[row.email],
    { good: `+1201555${String(100 + nth).padStart(4, '0')}`, bad: '12', none: '' }[row.phone],
    row.emailWord,
    DATES[row.emailDate],
    row.smsWord,
    DATES[row.smsDate],
    row.suppressed,
    row.list,
  ].join(',');
}

describe('rows that contradict each other, from the source to the plan', () => {
  let ledger: Ledger;
  let migrations = 0;
  before(async () => {
    ledger = await openTestLedger();
  });
  after(() => ledger.close());

  /** By row of each person and channel; without what the importer refused. */
  async function settled(people: readonly ModelRow[][]): Promise<Record<string, string>[]> {
    const lines = people.flatMap((rows, nth) => rows.map((row) => line(row, nth)));
    const owners = people.flatMap((rows, nth) => rows.map((_, row) => ({ nth, row })));
    const intents = await intentsOf([HEADER, ...lines, ''].join('\n'), {
      channels: ['email', 'sms'],
      undated: 'subscribe',
    });
    const id = `generated-${(migrations += 1)}`;
    await store(ledger, id, intents);
    await settleDuplicates(ledger.db, id);
    const ends = people.map((): Record<string, string> => ({}));
    for await (const page of reportedParts(ledger.db, id)) {
      for (const { rowNumber, channel, reason, outcome } of page) {
        const owner = owners[rowNumber - 1];
        const refused = intents[rowNumber - 1]?.parts.some(
          (part) => part.channel === channel && part.rejected !== null,
        );
        if (owner === undefined || refused === true) continue;
        const end = reason ?? outcome ?? 'open';
        Object.assign(ends[owner.nth] ?? {}, { [`${owner.row} ${channel}`]: end });
      }
    }
    return ends;
  }

  test('end as the story of what each person said', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(person, { minLength: 1, maxLength: PEOPLE }), async (people) => {
        assert.deepEqual(await settled(people), people.map(modelEnds));
      }),
      { numRuns: 60 },
    );
  });

  test('are read from a source as their rule says, by example', async () => {
    const good = { email: 'good', phone: 'good', suppressed: '', list: '' } as const;
    const email = (emailWord: Word, emailDate: SaidAt): ModelRow => ({
      ...good,
      ...{ emailWord, emailDate, smsWord: '', smsDate: '' },
    });
    const sms = (smsWord: Word, smsDate: SaidAt): ModelRow => ({
      ...good,
      ...{ emailWord: '', emailDate: '', smsWord, smsDate },
    });
    const blocked = 'newer_statement_refused';
    const examples: [ModelRow[], Record<string, string>][] = [
      [[email('yes', '2019'), email('perhaps', '2024')], { '0 email': blocked }],
      [[email('yes', '2024'), email('perhaps', '2019')], { '0 email': 'open' }],
      [[email('yes', '2024'), email('perhaps', 'once')], { '0 email': blocked }],
      [[email('yes', '2024'), email('perhaps', 'soon')], { '0 email': blocked }],
      [[email('yes', '2024'), { ...email('', ''), suppressed: 'perhaps' }], { '0 email': blocked }],
      [
        [email('yes', '2024'), { ...email('unsubscribed', '2019'), suppressed: 'perhaps' }],
        { '0 email': blocked, '1 email': 'open' },
      ],
      [[email('yes', '2019'), email('yes', 'once')], { '0 email': 'open' }],
      [
        [sms('yes', '2019'), { ...sms('unsubscribed', '2024'), phone: 'bad' }],
        { '0 sms': blocked },
      ],
      [[sms('yes', '2024'), { ...sms('unsubscribed', '2019'), phone: 'bad' }], { '0 sms': 'open' }],
      [[sms('yes', '2019'), { ...email('unsubscribed', ''), email: 'bad' }], { '0 sms': 'open' }],
      [
        [email('unsubscribed', '2019'), email('yes', '2021'), email('perhaps', '2024')],
        { '0 email': 'open', '1 email': blocked },
      ],
    ];
    assert.deepEqual(
      await settled(examples.map(([rows]) => rows)),
      examples.map(([, ends]) => ends),
    );
  });
});
