/** One row of a made-up source: of one person, whose two identifiers may be mistyped or left out. */
export interface ModelRow {
  readonly email: 'good' | 'bad' | 'none';
  readonly phone: 'good' | 'bad' | 'none';
  readonly emailWord: Word;
  readonly emailDate: SaidAt;
  readonly smsWord: Word;
  readonly smsDate: SaidAt;
  readonly suppressed: '' | 'yes' | 'perhaps';
}

export type Word = '' | 'yes' | 'unsubscribed' | 'perhaps';
/** A year; `soon` is a date in the future and `once` is no date. */
export type SaidAt = '2019' | '2021' | '2024' | '' | 'soon' | 'once';

interface Statement {
  readonly row: number;
  readonly says: 'yes' | 'doubt' | 'no' | 'suppress';
  readonly at: number;
}

/** What comes later of what was said at one moment. */
const ORDER = ['yes', 'doubt', 'no', 'suppress'] as const;

/**
 * How every part that the importer takes ends, by `row channel`: told as a story, statement after
 * statement in the order of time, where the ledger compares sets.
 */
export function modelEnds(rows: readonly ModelRow[]): Record<string, string> {
  const email = rows.flatMap((row, at) => emailStatement(row, at, rows));
  const sms = rows.flatMap((row, at) => smsStatement(row, at, rows));
  return { ...story(email, 'email', 'duplicate_email'), ...story(sms, 'sms', 'duplicate_phone') };
}

function story(
  statements: readonly Statement[],
  channel: string,
  duplicate: string,
): Record<string, string> {
  const ends: Record<string, string> = {};
  let standing: Statement[] = [];
  for (const said of [...statements].sort(byTime)) {
    if (said.says !== 'doubt') {
      standing.push(said);
      continue;
    }
    for (const { row, says } of standing) {
      if (says === 'yes') ends[`${row} ${channel}`] = 'newer_statement_refused';
    }
    standing = standing.filter(({ says }) => says !== 'yes');
  }
  const last = standing.pop();
  if (last === undefined) return ends;
  ends[`${last.row} ${channel}`] = 'open';
  for (const { row, says } of standing) {
    const changed = says === 'yes' ? 'conflicting_opt_out' : 'superseded_by_consent';
    ends[`${row} ${channel}`] = (says === 'yes') === (last.says === 'yes') ? duplicate : changed;
  }
  return ends;
}

function byTime(a: Statement, b: Statement): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return ORDER.indexOf(a.says) - ORDER.indexOf(b.says) || a.row - b.row;
}

function emailStatement(row: ModelRow, at: number, rows: readonly ModelRow[]): Statement[] {
  const named = row.email === 'good';
  const meant = named || (row.phone === 'good' && isKnownAsOne(rows));
  if (row.suppressed !== '') {
    if (named && row.suppressed === 'yes') return [{ row: at, says: 'suppress', at: Infinity }];
    // A clear no stays one beside a word that nobody knows, which is of any time.
    if (named && row.emailWord === 'unsubscribed') return [{ row: at, says: 'no', at: Infinity }];
    return meant ? [{ row: at, says: 'doubt', at: Infinity }] : [];
  }
  return statement(at, row.emailWord, row.emailDate, named, meant);
}

function smsStatement(row: ModelRow, at: number, rows: readonly ModelRow[]): Statement[] {
  const named = row.phone === 'good';
  const meant = named || (row.email === 'good' && isKnownAsOne(rows));
  return statement(at, row.smsWord, row.smsDate, named, meant);
}

function statement(
  row: number,
  word: Word,
  date: SaidAt,
  named: boolean,
  meant: boolean,
): Statement[] {
  const year = Number.parseInt(date, 10);
  const dated = Number.isInteger(year);
  switch (word) {
    case '':
      return [];
    case 'yes':
      // A date that makes no sense refuses it, and it was a yes all the same.
      if (!named || date === 'soon' || date === 'once') return [];
      return [{ row, says: 'yes', at: dated ? year : -Infinity }];
    case 'unsubscribed':
      if (named) return [{ row, says: 'no', at: dated ? year : Infinity }];
      return meant ? [{ row, says: 'doubt', at: dated ? year : Infinity }] : [];
    case 'perhaps':
      return meant ? [{ row, says: 'doubt', at: dated ? year : Infinity }] : [];
  }
}

/** Whether a row says that the address and the number are one person's; else nobody can know. */
function isKnownAsOne(rows: readonly ModelRow[]): boolean {
  return rows.some(
    ({ email, phone, smsWord }) => email === 'good' && phone === 'good' && smsWord !== '',
  );
}
