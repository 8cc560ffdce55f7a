import { sql, type RawBuilder } from 'kysely';
import type { Grace, SegmentFound } from '../../contracts/segments.js';
import type { Storing } from '../runs/storing.js';
import type { Segment } from './segments.js';
import type { SegmentTables } from './tables.js';

type Counts = Pick<SegmentFound, 'before' | 'missing' | 'kept' | 'changed'> & {
  readonly entering: number;
};

/** Whether somebody who is missing once more has been so for long enough. */
const isOver = (after: Grace): RawBuilder<boolean> =>
  'runs' in after
    ? sql`m.missing_runs + 1 >= ${after.runs}`
    : sql`coalesce(now() - m.missing_since, interval '0') >= make_interval(secs => ${after.ms}::float8 / 1000)`;

const isStaged = sql`exists (select from staged t where t.member_key = m.key)`;

/**
 * Brings who is in the segment up to what was staged. Whoever is missing for long enough is removed;
 * while the segment begins anew, they are kept.
 *
 * @returns counts of people; `entering` has those whom the segment did not know by any address or number
 */
export async function updateMembers(
  { run }: Pick<Storing, 'run'>,
  { members, parts }: SegmentTables,
  { number, generation }: Segment,
  {
    isBaseline,
    isOther,
    after,
  }: {
    readonly isBaseline: boolean;
    /** Its source or key is another one, so the same key may be somebody else. */
    readonly isOther: boolean;
    readonly after: Grace;
  },
): Promise<Counts> {
  const own = sql`m.segment_number = ${number}`;
  const former = `former ${generation}/`;
  if (isOther) {
    await run(sql`
      update ${members} m set key = ${former} || m.key, kept = true where ${own}`);
    await run(sql`
      update ${parts} p set key = ${former} || p.key where p.segment_number = ${number}`);
  }
  const [before] = await run<{ people: number; entering: number; changed: number }>(sql`
    select (select count(*)::integer from ${members} m where ${own}) as people,
      count(*) filter (where m.key is null and not exists (
        select from ${parts} p where p.segment_number = ${number}
          and hashtext(p.identifier) in (hashtext(t.email), hashtext(t.phone_number))
          and p.identifier in (t.email, t.phone_number)))::integer as entering,
      count(*) filter (where t.email <> m.email or t.phone_number <> m.phone_number)::integer as changed
    from staged t left join ${members} m on ${own} and m.key = t.member_key`);
  await run(sql`
    update ${members} m set email = coalesce(t.email, m.email),
      phone_number = coalesce(t.phone_number, m.phone_number), missing_runs = 0,
      missing_since = null, kept = false
    from staged t
    where ${own} and m.key = t.member_key and (m.missing_since is not null or m.kept
      or m.email is distinct from coalesce(t.email, m.email)
      or m.phone_number is distinct from coalesce(t.phone_number, m.phone_number))`);
  await run(sql`
    insert into ${members} (segment_number, key, email, phone_number, entered_at)
    select ${number}, t.member_key, t.email, t.phone_number, now() from staged t
    where not exists (select from ${members} m where ${own} and m.key = t.member_key)`);
  // Somebody by another key, of whom a cell is blank now: that changes nothing either.
  for (const [same, other] of [
    ['email', 'phone_number'],
    ['phone_number', 'email'],
  ] as const) {
    const of = (row: 'm' | 'n' | 't', column: string) => sql.ref(`${row}.${column}`);
    await run(sql`
      update ${members} n set ${sql.ref(other)} = ${of('m', other)}
      from ${members} m
      where n.segment_number = ${number} and ${of('n', other)} is null and n.missing_since is null
        and not n.kept and ${own} and ${of('m', other)} is not null and ${of('m', same)} = ${of('n', same)}
        and not ${isStaged}
        and not exists (select from staged t where ${of('t', other)} = ${of('m', other)})`);
  }
  if (isBaseline) {
    await run(sql`
      update ${members} m set kept = true where ${own} and not m.kept and not ${isStaged}`);
  } else {
    await run(sql`
      delete from ${members} m where ${own} and not m.kept and ${isOver(after)} and not ${isStaged}`);
    await run(sql`
      update ${members} m set missing_runs = m.missing_runs + 1,
        missing_since = coalesce(m.missing_since, now())
      where ${own} and not m.kept and not ${isStaged}`);
  }
  // Whoever is kept and is there by another key is no second member: nobody leaves by what a member has.
  for (const column of ['email', 'phone_number'] as const) {
    const value = sql.ref(`t.${column}`);
    await run(sql`
      update ${members} m set ${sql.ref(column)} = null from (
        select distinct ${value} as value from ${members} t
        where t.segment_number = ${number} and not t.kept and t.missing_since is null
          and ${value} is not null) there
      where ${own} and m.kept and ${sql.ref(`m.${column}`)} = there.value`);
  }
  await run(sql`
    delete from ${members} m
    where ${own} and m.kept and m.email is null and m.phone_number is null`);
  const [now] = await run<{ missing: number; kept: number }>(sql`
    select count(*) filter (where m.missing_since is not null and not m.kept)::integer as missing,
      count(*) filter (where m.kept)::integer as kept
    from ${members} m where ${own}`);
  const { people = 0, entering = 0, changed = 0 } = before ?? {};
  return { before: people, entering, changed, missing: now?.missing ?? 0, kept: now?.kept ?? 0 };
}
