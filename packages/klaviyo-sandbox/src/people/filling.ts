import type { SandboxAccount } from '../account/account.js';
import type { SeedProfile } from '../account/profiles/seeding.js';
import { linesOf } from '../control/ndjson.js';
import { inTurns } from '../control/turns.js';
import type { Population } from './generator.js';

/**
 * Seeds profiles from NDJSON of `SeedProfile`. Returns how many.
 *
 * @throws RangeError naming the line and what is wrong with it; earlier lines are already seeded
 */
export async function seedLines(
  account: SandboxAccount,
  lines: AsyncIterable<Uint8Array>,
): Promise<number> {
  let profiles = 0;
  for await (const { number, text } of linesOf(lines)) {
    try {
      account.seed(JSON.parse(text) as SeedProfile);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      throw new RangeError(`line ${number}: ${error.message}`, { cause: error });
    }
    profiles += 1;
  }
  return profiles;
}

/**
 * Fills the account with generated people; requests are answered meanwhile. Returns how many.
 *
 * @throws RangeError naming what is out of its range, before anybody is generated
 */
export function populate(account: SandboxAccount, population: Population): Promise<number> {
  return inTurns(account.invent(population), (person) => account.seed(person));
}
