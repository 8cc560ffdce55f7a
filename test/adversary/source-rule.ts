import type { RunSpec } from './scenario.js';
import type { JudgedChannel } from './timeline.js';

/**
 * Whether a subscribe of this person goes against what the source says: it says no, or something that
 * may be one, and nothing that is newer says yes. What has no date is newer than all where it may be a
 * no, and older than all where it is a yes.
 */
export function sentAgainstSource(
  { rows }: RunSpec,
  channel: JudgedChannel,
  person: number,
): boolean {
  let newestYes = -Infinity;
  let newestNo: number | null = null;
  const no = (at: number) => (newestNo = Math.max(newestNo ?? -Infinity, at));
  for (const row of rows) {
    if (row.person !== person) continue;
    const word = channel === 'email' ? row.email : row.sms;
    const year = channel === 'email' ? row.emailYear : row.smsYear;
    if (channel === 'email' && row.suppressed !== '') no(Infinity);
    if (word === 'yes') newestYes = Math.max(newestYes, year ?? -Infinity);
    if (word === 'unsubscribed' || word === 'perhaps') no(year ?? Infinity);
  }
  return newestNo !== null && newestNo >= newestYes;
}
