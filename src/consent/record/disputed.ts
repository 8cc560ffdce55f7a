import { columnOf, STATED_COLUMNS, type ColumnValue } from './columns.js';
import { SENDING_CHANNELS } from './channels.js';
import { nothingStated, type ConsentRecord } from './record.js';

const CAN_RECEIVE = SENDING_CHANNELS.map((channel) => columnOf(channel, 'can_receive'));

/**
 * What records of one profile state together, of which nobody knows which is right: that in which all
 * agree. They do not agree in what the person consents to, so nothing may be sent: whether it can be
 * received is not stated.
 */
export function disputedRecord(
  first: ConsentRecord,
  others: readonly ConsentRecord[],
): ConsentRecord {
  const stated: Record<string, ColumnValue | undefined> = nothingStated();
  for (const { name } of STATED_COLUMNS) {
    const value = first.stated[name];
    if (others.every((other) => other.stated[name] === value)) stated[name] = value;
  }
  for (const column of CAN_RECEIVE) stated[column] = undefined;
  return { profileId: first.profileId, stated };
}
