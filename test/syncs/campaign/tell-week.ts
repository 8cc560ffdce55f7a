import { SHOWN_BY_SWEEPS_ONLY, type WeekReport } from './week.js';

/** What sweeps found of changes that another source should have shown. */
export function missedIn({ drift }: WeekReport): string[] {
  return Object.keys(drift).filter((thing) => !SHOWN_BY_SWEEPS_ONLY.has(thing));
}

/** Prints what a week's sweeps found, by what changed. @returns whether nothing was missed */
export function tellWeek(report: WeekReport): boolean {
  const { hours, acts, increments, sweeps, drift, violations } = report;
  console.log(
    `${hours} hours, ${acts} acts: ${increments} increments with ${report.changedByIncrements} changes of ` +
      `profiles, ${sweeps} sweeps\n`,
  );
  const lines: [string, number, string][] = [
    ...Object.entries(drift).map(([thing, count]): [string, number, string] => [
      thing,
      count,
      SHOWN_BY_SWEEPS_ONLY.get(thing) ?? 'MISSED',
    ]),
    ['profiles that are gone', report.goneBySweeps, 'merged or deleted'],
  ];
  const width = Math.max(...lines.map(([thing]) => thing.length));
  console.log(`${'found by sweeps alone'.padEnd(width)}  count  why`);
  for (const [thing, count, why] of lines) {
    console.log(`${thing.padEnd(width)}  ${String(count).padStart(5)}  ${why}`);
  }
  for (const violation of violations) console.log(`BROKEN: ${violation}`);
  return missedIn(report).length === 0 && violations.length === 0;
}
