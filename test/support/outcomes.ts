import { reportedParts, type Ledger } from '../../src/ledger/index.js';

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

/** Parts of rows by how they ended: their reason, else their outcome. */
export async function countsOf(
  { ledger }: { readonly ledger: Ledger },
  id: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const ended of Object.values(await outcomesOf(ledger, id))) {
    counts[ended] = (counts[ended] ?? 0) + 1;
  }
  return counts;
}
