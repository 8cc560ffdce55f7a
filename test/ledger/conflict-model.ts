/** One row of a made-up source: of one person, whose two identifiers may be mistyped or left out. */
export interface ModelRow {
  readonly email: 'good' | 'bad' | 'none';
  readonly phone: 'good' | 'bad' | 'none';
  readonly emailWord: Word;
  readonly emailDate: SaidAt;
  readonly smsWord: Word;
  readonly smsDate: SaidAt;
  readonly suppressed: '' | 'yes' | 'perhaps' | 'lifted';
  readonly list: '' | 'add' | 'remove' | 'perhaps';
}

export type Word = '' | 'yes' | 'unsubscribed' | 'perhaps';
/** A year; `soon` is a date in the future and `once` is no date. */
export type SaidAt = '2019' | '2021' | '2024' | '' | 'soon' | 'once';

interface Statement {
  readonly row: number;
  readonly says: 'yes' | 'doubt' | 'no';
  readonly at: number;
}

/** What comes later of what was said at one moment. */
const ORDER = ['yes', 'doubt', 'no'] as const;

/**
 * How every part that the importer takes ends, by `row channel`: told as a story, statement after
 * statement in the order of time, where the ledger compares sets. What takes a person out then stands
 * against whatever would add them.
 */
export function modelEnds(rows: readonly ModelRow[]): Record<string, string> {
  const email = rows.flatMap((row, at) => emailStatement(row, at, rows));
  const sms = rows.flatMap((row, at) => smsStatement(row, at, rows));
  const ends: Record<string, string> = {
    ...story(email, 'email', 'duplicate_email'),
    ...story(sms, 'sms', 'duplicate_phone'),
    ...contest(rows, 'suppression', ['suppressed', 'yes', 'lifted'], 'conflicting_opt_out'),
    ...contest(rows, 'list', ['list', 'remove', 'add'], 'conflicting_removal'),
  };
  const lose = (row: number, channel: string, reason: string) => {
    if (ends[`${row} ${channel}`] === 'open') ends[`${row} ${channel}`] = reason;
  };
  const subscribes = (row: ModelRow, word: Word) => word === 'yes' && row.suppressed !== 'yes';
  const named = (row: ModelRow) => row.email === 'good';
  const isSuppressed = rows.some((row) => named(row) && row.suppressed === 'yes');
  const maySuppress = rows.some((row) => named(row) && /yes|perhaps/.test(row.suppressed));
  const isUnsubscribed = rows.some(
    (row, at) => row.emailWord === 'unsubscribed' && ends[`${at} email`] === 'open',
  );
  rows.forEach((row, at) => {
    if (!named(row)) return;
    if (isSuppressed && row.emailWord === 'yes') lose(at, 'email', 'conflicting_opt_out');
    if (maySuppress && row.suppressed === 'lifted') lose(at, 'suppression', 'conflicting_opt_out');
    if ((maySuppress || isUnsubscribed) && row.list === 'add')
      lose(at, 'list', 'conflicting_opt_out');
  });
  // A number is kept only where the row asks for texts, or names nobody else.
  const hasNumber = (row: ModelRow) =>
    row.phone === 'good' && (row.smsWord !== '' || row.email !== 'good');
  const removals = rows.filter(
    (row, at) => row.list === 'perhaps' || (row.list === 'remove' && ends[`${at} list`] === 'open'),
  );
  rows.forEach((row, at) => {
    const isRemoved = removals.some(
      (other) => (named(row) && named(other)) || (hasNumber(row) && hasNumber(other)),
    );
    if (!isRemoved) return;
    if (subscribes(row, row.emailWord)) lose(at, 'email', 'conflicting_removal');
    if (row.smsWord === 'yes') lose(at, 'sms', 'conflicting_removal');
    if (row.list === 'add') lose(at, 'list', 'conflicting_removal');
  });
  return ends;
}

/** Of the rows about one thing, the last that takes out is left, else the last that adds. */
function contest(
  rows: readonly ModelRow[],
  channel: string,
  [column, out, back]:
    readonly ['suppressed', 'yes', 'lifted'] | readonly ['list', 'remove', 'add'],
  reason: string,
): Record<string, string> {
  const isAsked = (row: ModelRow) =>
    row.email === 'good' || (column === 'list' && row.email === 'none' && row.phone === 'good');
  const ends: Record<string, string> = {};
  const compared: number[] = [];
  rows.forEach((row, at) => {
    const asks = row[column] === out || row[column] === back;
    if (!asks || !isAsked(row)) return;
    // A doubtful suppression keeps people off the list.
    if (column === 'list' && row.list === 'add' && row.suppressed === 'perhaps') return;
    ends[`${at} ${channel}`] = 'open';
    if (row.email === 'good') compared.push(at);
  });
  const takers = compared.filter((at) => rows[at]?.[column] === out);
  const last = takers.at(-1) ?? compared.at(-1);
  for (const at of compared) {
    if (at === last) continue;
    const beaten = takers.length > 0 && rows[at]?.[column] === back;
    ends[`${at} ${channel}`] = beaten ? reason : 'duplicate_email';
  }
  return ends;
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
  if (row.suppressed === '' || row.suppressed === 'lifted') {
    return statement(at, row.emailWord, row.emailDate, named, meant);
  }
  // A clear no stays one beside a suppression, and beside a word that nobody knows.
  const said =
    row.emailWord === 'unsubscribed'
      ? statement(at, row.emailWord, row.emailDate, named, meant)
      : [];
  if (named && row.suppressed === 'yes') return said;
  return meant ? [...said, { row: at, says: 'doubt', at: Infinity }] : said;
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
