import fc from 'fast-check';

/** How one input ended, to be counted. */
export type Kind = string;

/** From 0 to 1, and anywhere between: doubles of fast-check are close to their bounds. */
export const share: fc.Arbitrary<number> = fc.nat({ max: 999_999 }).map((n) => n / 1_000_000);

/** @throws Error where something that always holds does not */
export function held(holds: boolean): void {
  if (!holds) throw new Error('what always holds does not hold');
}
