import fc from 'fast-check';
import { specOf, type RecordChannel } from '../../../src/consent/record/channels.js';
import {
  columnOf,
  STATED_COLUMNS,
  SUPPRESSIONS,
  type ColumnType,
  type ColumnValue,
} from '../../../src/consent/record/columns.js';

/** Everything that Klaviyo has to state so that something may be sent on a channel, and no more. */
export function consented(channel: RecordChannel): Record<string, ColumnValue> {
  const { needs } = specOf(channel);
  return {
    [columnOf(channel, 'consent')]: 'SUBSCRIBED',
    [columnOf(channel, 'can_receive')]: true,
    ...(needs === undefined
      ? {}
      : { [needs]: needs === 'email' ? 'ada@example.com' : '+12015550123' }),
    ...(channel === 'email_marketing' ? { [SUPPRESSIONS]: '[]' } : {}),
  };
}

const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .chain((date) =>
    fc
      .integer({ min: 0, max: 999 })
      .map((micros) => `${date.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`),
  );

const suppression = fc.record({
  reason: fc.constantFrom('UNSUBSCRIBE', 'HARD_BOUNCE', 'NEW_REASON'),
  timestamp: fc.option(time),
});

const VALUES: Readonly<Record<ColumnType, fc.Arbitrary<ColumnValue>>> = {
  text: fc.oneof(
    fc.constantFrom('SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED', 'PENDING', ''),
    fc.string({ unit: 'binary', maxLength: 20 }),
  ),
  boolean: fc.boolean(),
  timestamp: time,
  json: fc.oneof(
    fc.constant('[]'),
    fc.array(suppression, { maxLength: 3 }).map((items) => JSON.stringify(items)),
  ),
};

/** What a reading might state: any columns, with any values or none. */
export const statedValues = fc.record(
  Object.fromEntries(
    STATED_COLUMNS.map(({ name, type }) => [
      name,
      fc.oneof({ arbitrary: fc.constant(null), weight: 1 }, { arbitrary: VALUES[type], weight: 3 }),
    ]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, ColumnValue>>;
