import type { Figures } from './figures.js';

/**
 * What a figure has to reach. `times` compares it with the same figure of another result: of the
 * same scenario at another commit (`before`), or of the same commit with another number of rows
 * (`scales`). Then the larger run is compared with the smaller one.
 */
export interface Floor {
  readonly figure: string;
  readonly is: 'at most' | 'at least';
  readonly limit: number;
  readonly times?: 'before' | 'scales';
}

export interface JudgedFloor extends Floor {
  /** In words, with its numbers. */
  readonly says: string;
  /** Null if there is nothing to compare with. */
  readonly held: boolean | null;
}

/** A result as far as floors need it. */
export interface Comparable {
  readonly rows: number;
  readonly figures: Figures;
}

export type Others = Readonly<Partial<Record<'before' | 'scales', Comparable>>>;

/**
 * Judges each floor. A figure that could not be measured misses its floor.
 *
 * @throws Error if a figure of a floor is not in the results
 */
export function judge(floors: readonly Floor[], now: Comparable, others: Others): JudgedFloor[] {
  return floors.map((floor) => {
    if (floor.times === undefined) return judged(floor, figureOf(now, floor), 1, '');
    const other = others[floor.times];
    if (other === undefined) {
      const says = `${wordsOf(floor)} x ${floor.times}: give --${floor.times} FILE to check it`;
      return { ...floor, held: null, says };
    }
    const [judgedOne, base] =
      floor.times === 'scales' && other.rows > now.rows ? [other, now] : [now, other];
    const than = figureOf(base, floor);
    const of =
      floor.times === 'before'
        ? ` x ${shown(than)} before`
        : ` x ${shown(than)} at ${base.rows} rows`;
    return judged(floor, figureOf(judgedOne, floor), than, of);
  });
}

/** Whether a benchmark has failed: floors that cannot be checked do not count. */
export function isMissed(floors: readonly JudgedFloor[]): boolean {
  return floors.some(({ held }) => held === false);
}

function judged(floor: Floor, figure: number | null, base: number | null, of: string): JudgedFloor {
  const says = `${wordsOf(floor)}${of}: ${shown(figure)}`;
  if (figure === null || base === null) return { ...floor, says, held: false };
  const limit = floor.limit * base;
  return { ...floor, says, held: floor.is === 'at most' ? figure <= limit : figure >= limit };
}

function figureOf({ figures }: Comparable, { figure }: Floor): number | null {
  const value = figures[figure];
  if (value !== undefined) return value;
  throw new Error(`There is a floor for "${figure}", which is not among the figures.`);
}

const wordsOf = ({ figure, is, limit }: Floor): string => `${figure} ${is} ${limit}`;

const shown = (value: number | null): string =>
  value === null ? 'not measured' : String(Number(value.toPrecision(6)));
