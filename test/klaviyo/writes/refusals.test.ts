import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  splitRefusal,
  unknownIds,
  type JsonApiError,
  type RowRefusal,
} from '../../../src/klaviyo/index.js';

const ROW = '/data/attributes/profiles/data';

function error(pointer: string | null, detail = ''): JsonApiError {
  return { code: 'invalid', title: 'Invalid input.', detail, pointer, parameter: null };
}

/** What one error says of row 2 of 10. */
const cases: readonly {
  readonly says: string;
  readonly field: string;
  readonly detail: string;
  readonly refusal: RowRefusal;
}[] = [
  {
    says: 'a phone number that does not exist',
    field: '/attributes/phone_number',
    detail: 'The phone number provided either does not exist or is ineligible to receive SMS',
    refusal: { reason: 'klaviyo_refused_phone', part: 'phone' },
  },
  {
    says: 'a badly formed phone number',
    field: '/attributes/phone_number',
    detail: 'Invalid phone number format (Example of a valid format: +12345678901)',
    refusal: { reason: 'klaviyo_refused_phone', part: 'phone' },
  },
  {
    says: 'a region without a sender',
    field: '/attributes/phone_number',
    detail: 'Phone number is valid but is not in a supported region for this account.',
    refusal: { reason: 'phone_country_without_sender', part: 'texts' },
  },
  {
    says: 'a region without a sender, in the longer words',
    field: '/attributes/phone_number',
    detail: 'Please configure a sending number for this region.',
    refusal: { reason: 'phone_country_without_sender', part: 'texts' },
  },
  {
    says: 'SMS that is not set up',
    field: '',
    detail: 'SMS configuration is required to subscribe phone number only profiles.',
    refusal: { reason: 'sms_not_configured', part: 'texts' },
  },
  {
    says: 'a bad e-mail address',
    field: '/attributes/email',
    detail: 'Invalid email address',
    refusal: { reason: 'klaviyo_refused_email', part: 'email' },
  },
  {
    says: 'a consent date before an opt-out of e-mail',
    field: '/attributes/subscriptions/email/marketing/consented_at',
    detail:
      'backdated consent date [2020-01-01 00:00:00+00:00] is before current unsubscription date [2024-01-01 00:00:00+00:00]',
    refusal: { reason: 'backdated_before_opt_out', part: 'email' },
  },
  {
    says: 'a consent date before an opt-out of SMS',
    field: '/attributes/subscriptions/sms/marketing/consented_at',
    detail: 'backdated consent date [x] is before current unsubscription date [y]',
    refusal: { reason: 'backdated_before_opt_out', part: 'sms' },
  },
  {
    says: 'a consent date after a subscription',
    field: '/attributes/subscriptions/email/marketing/consented_at',
    detail:
      'backdated consent date [2025-07-22 18:22:22+00:00] is after current subscription date [2020-02-21 05:29:23+00:00]',
    refusal: { reason: 'backdated_after_subscription', part: 'email' },
  },
  {
    says: 'a consent date that Klaviyo cannot read',
    field: '/attributes/subscriptions/email/marketing/consented_at',
    detail: 'historical email subscription does not have a valid consented_at timestamp',
    refusal: { reason: 'consent_date_invalid', part: 'email' },
  },
  {
    says: 'a missing or too low age',
    field: '/attributes/age_gated_date_of_birth',
    detail: 'Profile does not meet the age requirement.',
    refusal: { reason: 'klaviyo_refused_age', part: 'texts' },
  },
  {
    says: 'something about a channel that is not known here',
    field: '/attributes/subscriptions/sms/marketing',
    detail: 'Something new.',
    refusal: { reason: 'klaviyo_refused', part: 'sms' },
  },
  {
    says: 'something about a row that is not known here',
    field: '/attributes/external_id',
    detail: 'Something new.',
    refusal: { reason: 'klaviyo_refused', part: 'row' },
  },
  {
    says: 'something about a row as a whole',
    field: '',
    detail: 'Something new.',
    refusal: { reason: 'klaviyo_refused', part: 'row' },
  },
];

describe('splitting a refused request', () => {
  for (const { says, field, detail, refusal } of cases) {
    it(`reads ${says} as ${refusal.reason} of the ${refusal.part}`, () => {
      const split = splitRefusal([error(`${ROW}/2${field}`, detail)], 10);
      assert.deepEqual([...split.rows], [[2, [refusal]]]);
      assert.equal(split.requestWide, null);
    });
  }

  it('takes rows in any order and gives them in order', () => {
    const split = splitRefusal(
      [error(`${ROW}/2/attributes/phone_number`), error(`${ROW}/0/attributes/email`)],
      3,
    );
    assert.deepEqual([...split.rows.keys()], [0, 2]);
  });

  it('keeps one refusal for each channel of a row, the first that was given', () => {
    const split = splitRefusal(
      [
        error(`${ROW}/1/attributes/phone_number`),
        error(`${ROW}/1/attributes/email`),
        error(
          `${ROW}/1/attributes/subscriptions/sms/marketing/consented_at`,
          'is after current subscription',
        ),
        error(`${ROW}/1/attributes/phone_number`),
      ],
      2,
    );
    assert.deepEqual(split.rows.get(1), [
      { reason: 'klaviyo_refused_phone', part: 'phone' },
      { reason: 'klaviyo_refused_email', part: 'email' },
    ]);
  });

  for (const rowFirst of [true, false]) {
    it(`lets a refused row swallow its channels, told ${rowFirst ? 'before' : 'after'} them`, () => {
      const both = [error(`${ROW}/0`), error(`${ROW}/0/attributes/phone_number`)];
      const split = splitRefusal(rowFirst ? both : both.reverse(), 1);
      assert.deepEqual(split.rows.get(0), [{ reason: 'klaviyo_refused', part: 'row' }]);
    });
  }

  for (const [name, pointer] of [
    ['an unknown list', '/data/relationships/list/data/id'],
    ['a row that was not sent', `${ROW}/10/attributes/email`],
    ['a row number that is none', `${ROW}/-1/attributes/email`],
    ['a field without its row, among many rows', 'phone_number'],
    ['the request', '/data'],
    ['nothing in particular', null],
  ] as const) {
    it(`counts an error about ${name} as one of the whole request`, () => {
      const split = splitRefusal([error(pointer, 'List not found with id LIST01')], 10);
      assert.equal(split.rows.size, 0);
      assert.deepEqual(split.requestWide, {
        code: 'invalid',
        pointer,
        safeDetail: 'List not found with id LIST01',
      });
    });
  }

  it('gives rows and what is request-wide when both are told', () => {
    const split = splitRefusal([error('/data'), error(`${ROW}/0/attributes/email`)], 1);
    assert.equal(split.rows.size, 1);
    assert.equal(split.requestWide?.pointer, '/data');
  });

  it('knows the row of a field without an index where there is one row', () => {
    for (const pointer of ['phone_number', '/data/attributes/phone_number']) {
      const split = splitRefusal([error(pointer)], 1);
      assert.deepEqual(split.rows.get(0), [{ reason: 'klaviyo_refused_phone', part: 'phone' }]);
    }
  });

  it('counts an answer without errors as request-wide', () => {
    assert.equal(splitRefusal([], 10).requestWide?.code, 'unreadable');
  });

  it('shows no address and no number of a request-wide error', () => {
    const detail = 'Profile jane.doe@example.com, +1 201-555-0123, "Jane Doe" pk_0123456789 is bad';
    const { requestWide } = splitRefusal([error('/data', detail)], 1);
    assert.equal(requestWide?.safeDetail, 'Profile [e-mail], [number], [value] [key] is bad');
  });

  it('does not show half an address where a long text is cut', () => {
    for (const length of [170, 185, 195, 199, 1_980, 1_990, 1_999]) {
      const detail = `${'so it is '.repeat(300).slice(0, length)} jane.doe@example.com is bad`;
      const { requestWide } = splitRefusal([error('/data', detail)], 1);
      assert.doesNotMatch(requestWide?.safeDetail ?? '', /j|doe/);
    }
  });

  it('accounts for every error, never names a row that was not sent, and always makes headway', () => {
    const field = fc.constantFrom(
      '',
      '/attributes/email',
      '/attributes/phone_number',
      '/x',
      '/attributes',
    );
    const pointer = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 1_200 }), field).map(([row, at]) => `${ROW}/${row}${at}`),
      fc.string(),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(pointer), fc.integer({ min: 1, max: 1_000 }), (pointers, count) => {
        const split = splitRefusal(
          pointers.map((at) => error(at)),
          count,
        );
        assert.ok(split.rows.size > 0 || split.requestWide !== null);
        for (const [row, refusals] of split.rows) {
          assert.ok(row >= 0 && row < count);
          const parts = refusals.map(({ part }) => part);
          assert.equal(new Set(parts).size, parts.length);
          assert.ok(parts.length > 0 && (parts.length === 1 || !parts.includes('row')));
        }
        const named = pointers.filter((at) => {
          const row = /^\/data\/attributes\/profiles\/data\/(\d+)(\/|$)/.exec(at ?? '')?.[1];
          return row !== undefined && Number(row) < count;
        });
        for (const at of named) assert.ok(split.rows.has(Number(at?.split('/')[5])));
        if (named.length < pointers.length && count > 1) assert.ok(split.requestWide !== null);
      }),
    );
  });
});

describe('a refusal because of profiles that Klaviyo does not know', () => {
  const sent = ['01A', '01AB', '01C'];
  it('names them in its words', () => {
    const errors = [error('/data/', 'Invalid profile IDs: 01AB, 01C')];
    assert.deepEqual([...unknownIds(errors, sent)], ['01AB', '01C']);
  });
  it('names them by their places', () => {
    const errors = [error('/data/0/id', 'No such profile.'), error('/data/7/id')];
    assert.deepEqual([...unknownIds(errors, sent)], ['01A']);
  });
  it('may be about something else', () => {
    const errors = [error('/data', 'Too many profiles.'), error(`${ROW}/0/attributes/email`)];
    assert.equal(unknownIds(errors, sent).size, 0);
  });
});
