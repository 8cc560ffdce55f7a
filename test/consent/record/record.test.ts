import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  RECORD_CHANNELS,
  SENDING_CHANNELS,
  specOf,
  type RecordChannel,
} from '../../../src/consent/record/channels.js';
import {
  columnOf,
  maySendColumn,
  RECORD_COLUMNS,
  STATED_COLUMNS,
  type ColumnValue,
} from '../../../src/consent/record/columns.js';
import {
  isSameRow,
  maySend,
  rowAfter,
  rowOfErased,
  rowOfGone,
  type ConsentRow,
} from '../../../src/consent/record/record.js';
import { consented, statedValues } from './values.js';

describe('whether something may be sent', () => {
  for (const channel of SENDING_CHANNELS) {
    const whole = consented(channel);

    it(`by ${channel}: with everything that it takes`, () => {
      assert.equal(maySend(whole, channel), true);
    });

    for (const name of Object.keys(whole)) {
      it(`by ${channel}: not without ${name}`, () => {
        const { [name]: known, ...others } = whole;
        assert.equal(maySend(others, channel), false, 'absent');
        for (const other of [null, '', 'subscribed', 'SUBSCRIBED ', true, false, '[{}]']) {
          // Of an address or a number, any text will do.
          const isIdentifier = name === specOf(channel).needs && typeof other === 'string';
          if (other === known || (isIdentifier && other !== '')) continue;
          assert.equal(maySend({ ...whole, [name]: other }, channel), false, String(other));
        }
      });
    }

    it(`by ${channel}: not on what another channel says`, () => {
      for (const other of RECORD_CHANNELS.filter((one) => one !== channel)) {
        assert.equal(maySend(consented(other), channel), false, other);
      }
    });
  }

  it('not with a consent that ends, as nothing tells when it does', () => {
    for (const channel of SENDING_CHANNELS) {
      if (!specOf(channel).fields.includes('valid_until')) continue;
      const until = { [columnOf(channel, 'valid_until')]: '2999-01-01T00:00:00.000000Z' };
      assert.equal(maySend({ ...consented(channel), ...until }, channel), false);
      assert.equal(
        maySend({ ...consented(channel), [columnOf(channel, 'valid_until')]: null }, channel),
        true,
      );
    }
  });

  it('for any values: only with the one word of consent', () => {
    fc.assert(
      fc.property(statedValues, fc.constantFrom(...SENDING_CHANNELS), (stated, channel) => {
        if (!maySend(stated, channel)) return;
        for (const [name, value] of Object.entries(consented(channel))) {
          if (name === specOf(channel).needs) assert.notEqual(stated[name] ?? '', '');
          else assert.equal(stated[name], value, name);
        }
      }),
    );
  });

  it('has a column for each channel that sends, and for no other', () => {
    const columns = RECORD_COLUMNS.map(({ name }) => name).filter((name) => /^may_send/.test(name));
    assert.deepEqual(columns, [
      'may_send_email_marketing',
      'may_send_sms_marketing',
      'may_send_sms_transactional',
      'may_send_whatsapp_marketing',
      'may_send_whatsapp_transactional',
      'may_send_whatsapp_conversational',
      'may_send_mobile_push_marketing',
    ]);
  });
});

describe('the row after a reading', () => {
  it('has every column, and nothing unknown in those that may be sent', () => {
    const row = rowAfter(null, { profileId: '01A', stated: {} });
    assert.deepEqual(
      Object.keys(row),
      RECORD_COLUMNS.map(({ name }) => name),
    );
    for (const { name } of STATED_COLUMNS) assert.equal(row[name], null);
    for (const channel of SENDING_CHANNELS) assert.equal(row[maySendColumn(channel)], false);
  });

  it('keeps what is not stated, and takes what is stated to be nothing', () => {
    fc.assert(
      fc.property(statedValues, statedValues, (earlier, later) => {
        const before = rowAfter(null, { profileId: '01A', stated: earlier });
        const after = rowAfter(before, { profileId: '01A', stated: later });
        for (const { name } of STATED_COLUMNS) {
          assert.equal(after[name], name in later ? later[name] : before[name], name);
        }
      }),
    );
  });

  it('permits nothing on what was stated earlier', () => {
    for (const channel of SENDING_CHANNELS) {
      const before = rowAfter(null, { profileId: '01A', stated: consented(channel) });
      assert.equal(before[maySendColumn(channel)], true);
      for (const name of Object.keys(consented(channel))) {
        const { [name]: _, ...stated } = consented(channel);
        const after = rowAfter(before, { profileId: '01A', stated });
        assert.equal(after[name], before[name]);
        assert.equal(after[maySendColumn(channel)], false, `${channel} without ${name}`);
      }
    }
  });

  it('keeps a word of consent that is not known, and never sends on it', () => {
    for (const channel of SENDING_CHANNELS) {
      for (const word of ['PENDING', 'subscribed', 'IMPLIED', 'UNKNOWN', '']) {
        const stated = { ...consented(channel), [columnOf(channel, 'consent')]: word };
        const row = rowAfter(null, { profileId: '01A', stated });
        assert.equal(row[columnOf(channel, 'consent')], word);
        assert.equal(row[maySendColumn(channel)], false);
      }
    }
  });

  it('is the same after the same reading', () => {
    fc.assert(
      fc.property(statedValues, statedValues, (earlier, later) => {
        const before = rowAfter(null, { profileId: '01A', stated: earlier });
        const once = rowAfter(before, { profileId: '01A', stated: later });
        assert.ok(isSameRow(once, rowAfter(once, { profileId: '01A', stated: later })));
      }),
    );
  });
});

describe('a row', () => {
  const row = rowAfter(null, {
    profileId: '01A',
    stated: Object.assign({}, ...RECORD_CHANNELS.map((one) => consented(one))) as ConsentRow,
  });

  it('of a profile that is gone permits nothing, and keeps all else', () => {
    const gone = rowOfGone(row);
    for (const { name } of STATED_COLUMNS) assert.equal(gone[name], row[name]);
    assert.ok(SENDING_CHANNELS.every((channel) => gone[maySendColumn(channel)] === false));
    assert.ok(SENDING_CHANNELS.every((channel) => row[maySendColumn(channel)] === true));
  });

  it('of a person who is erased has nothing', () => {
    const erased = rowOfErased();
    for (const { name } of STATED_COLUMNS) assert.equal(erased[name], null);
    assert.ok(SENDING_CHANNELS.every((channel) => erased[maySendColumn(channel)] === false));
  });

  it('differs in any one column', () => {
    for (const { name, type } of RECORD_COLUMNS) {
      const value: ColumnValue = type === 'boolean' ? row[name] !== true : 'other';
      assert.ok(!isSameRow(row, { ...row, [name]: value }), name);
    }
    assert.ok(isSameRow(row, { ...row }));
  });
});

describe('the columns', () => {
  it('are those that the documentation names', () => {
    const names = RECORD_COLUMNS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    const fields = (channel: RecordChannel): string[] =>
      names
        .filter((name) => name.startsWith(`${channel}_`))
        .map((name) => name.slice(channel.length + 1));
    assert.deepEqual(names.slice(0, 3), ['email', 'phone_number', 'external_id']);
    assert.deepEqual(fields('email_marketing'), [
      'consent',
      'consent_timestamp',
      'last_updated',
      'method',
      'method_detail',
      'custom_method_detail',
      'double_optin',
      'can_receive',
      'suppressions',
      'list_suppressions',
    ]);
    assert.deepEqual(fields('mobile_push_marketing'), [
      'consent',
      'consent_timestamp',
      'can_receive',
    ]);
  });
});
