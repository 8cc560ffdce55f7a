import { createHash } from 'node:crypto';
import type { Program } from '../program.js';

/** The settings of a program that decide what a run of it does, by their keys in the file. */
export interface ProgramState {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

/**
 * Where a setting comes from does not matter, nor what the account is called in the file. How soon people
 * are asked again is about the next run: a change of it asks nobody.
 */
export function stateOf(program: Program): ProgramState {
  const settings = {
    source: program.source,
    channels: [...program.channels.value].sort(),
    list: program.list.value,
    opt_in: program.optIn.value,
    historical: program.historical.value,
    country: program.country.value,
    sms_countries: program.smsCountries.value,
    sms_without_sender: program.smsWithoutSender.value,
    proof: program.proof,
    ...(program.segment === null ? {} : { segment: program.segment }),
  };
  return { settings, hash: createHash('sha256').update(canonical(settings)).digest('hex') };
}

/** JSON with sorted keys: neither their order in the file nor PostgreSQL's is a change. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, of: unknown) =>
    typeof of === 'object' && of !== null && !Array.isArray(of)
      ? Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)))
      : of,
  );
}
