import { reportedParts, type Ledger } from '../../src/ledger/index.js';

/** `count` addresses that no other call gave. */
export function people(count: number): string[] {
  made += 1;
  return Array.from({ length: count }, (_, n) => `p${made}-${n}@example.com`);
}
let made = 0;

/** How each part ended: its reason, else its outcome; repeated people get their row's number. */
export async function outcomesOf(ledger: Ledger, id: string): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  const seen = new Map<string, number>();
  for await (const page of reportedParts(ledger.db, id)) {
    for (const { email, phoneNumber, channel, outcome, reason } of page) {
      const key = `${email ?? phoneNumber ?? ''} ${channel}`;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      const ended = outcome === 'unconfirmed' ? outcome : (reason ?? outcome ?? 'open');
      outcomes[times === 1 ? key : `${key} (${times})`] = ended;
    }
  }
  return outcomes;
}
