import { test } from 'node:test';

/**
 * One way in which consent jobs go wrong elsewhere, or in which Klaviyo behaves unlike what one
 * would think. `docs/scenarios.md` lists every one under the same id and title; `documentation.test.ts`
 * holds the two together.
 *
 * @param id `bug-N` faults known of other tools, `wish-N` what their users complain about or ask
 *   for, `operation-N` opting out, suppressing and lists, `check-N` what Klaviyo checks at once, `effect-N` what a subscribe does and when,
 *   `switch-N` an open question about Klaviyo, answered the other way
 */
export function scenario(id: ScenarioId, title: string, play: () => Promise<void>): void {
  void test(`${id}: ${title}`, play);
}

export type ScenarioId =
  `${'bug' | 'wish' | 'operation' | 'check' | 'effect' | 'switch'}-${number}`;
