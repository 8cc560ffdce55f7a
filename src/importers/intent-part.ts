import type { Channel, Operation } from '../contracts/channels.js';
import type { IntentPart } from '../contracts/intents.js';
import type { Reason } from '../contracts/outcomes.js';

type Notes = readonly (string | null)[];

export function accepted(
  channel: Channel,
  operation: Operation,
  consentedAt: string | null,
  notes: Notes,
): IntentPart {
  return { channel, operation, consentedAt, rejected: null, note: joined(notes) };
}

/** @param saidAt date of what may be an opt-out, which the plan compares with dates of consent */
export function refused(
  channel: Channel,
  operation: Operation,
  reason: Reason,
  saidAt: string | null = null,
  notes: Notes = [],
): IntentPart {
  return { channel, operation, consentedAt: saidAt, rejected: reason, note: joined(notes) };
}

/** The part with one more note; a refused part unchanged. */
export function noted(part: IntentPart, note: string): IntentPart {
  return part.rejected === null ? { ...part, note: joined([part.note, note]) } : part;
}

function joined(notes: Notes): string | null {
  const said = notes.filter((note) => note !== null);
  return said.length === 0 ? null : said.join(' ');
}
