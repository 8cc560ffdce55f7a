import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { SeedProfile, TruthLine } from 'klaviyo-sandbox';

/** When the people of the source consented, and when some of them opted out afterwards. */
const CONSENTED_AT = '2021-03-04T05:06:07Z';
const OPTED_OUT_AT = '2024-05-06T07:08:09+00:00';

/**
 * What has to be true of a row's person in the end: subscribed, left as they were because they had
 * opted out or were suppressed, or unknown to the account because the address is none.
 */
type Kind = 'consented' | 'opted out' | 'suppressed' | 'invalid';

function kindOf(n: number): Kind {
  if (n % 97 === 0) return 'invalid';
  if (n % 9 === 0) return 'opted out';
  return n % 11 === 0 ? 'suppressed' : 'consented';
}

/** Every 50th row is about the same person as the row before it, spelled differently. */
function personOf(row: number): number {
  return row % 50 === 49 ? row - 1 : row;
}

function addressOf(row: number): string {
  const n = personOf(row);
  if (kindOf(n) !== 'invalid') return n === row ? `p${n}@shop.example` : `P${n}@Shop.example`;
  // One that every check finds, and one that the usual pattern accepts and Klaviyo refuses.
  return n % 2 === 0 ? `p${n}.shop.example` : `p${n}@shop.example.`;
}

/** Writes an export of such people, in the generic layout. */
export async function writeSource(path: string, rows: number): Promise<void> {
  const out = createWriteStream(path);
  out.write('email,email_consent,email_consented_at\n');
  for (let row = 0; row < rows; row += 1) {
    if (!out.write(`${addressOf(row)},subscribed,${CONSENTED_AT}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** Who the account knows before: those who opted out or were suppressed after their consent. */
export function* knownBefore(rows: number): Generator<SeedProfile> {
  for (let row = 0; row < rows; row += 1) {
    if (personOf(row) !== row) continue;
    const email = addressOf(row);
    const consent_timestamp = OPTED_OUT_AT;
    const kind = kindOf(row);
    if (kind === 'opted out') yield { email, email_consent: 'UNSUBSCRIBED', consent_timestamp };
    if (kind === 'suppressed') {
      const suppressions = [{ reason: 'USER_SUPPRESSED' as const, timestamp: OPTED_OUT_AT }];
      yield { email, suppressions };
    }
  }
}

export type WrongRows = Readonly<Record<Kind | 'all', number>>;

/**
 * Rows whose person is not as they have to be, judged by the account alone, whatever the program
 * that brought them there says.
 *
 * @param after the account's profiles in the end
 */
export function countWrongRows(rows: number, after: readonly TruthLine[]): WrongRows {
  const profiles = new Map(after.map((profile) => [profile.email?.toLowerCase(), profile]));
  const wrong = { consented: 0, 'opted out': 0, suppressed: 0, invalid: 0, all: 0 };
  for (let row = 0; row < rows; row += 1) {
    const kind = kindOf(personOf(row));
    if (isAsItMustBe(kind, profiles.get(addressOf(row).toLowerCase()))) continue;
    wrong[kind] += 1;
    wrong.all += 1;
  }
  return wrong;
}

function isAsItMustBe(kind: Kind, profile: TruthLine | undefined): boolean {
  if (kind === 'invalid') return profile === undefined;
  if (profile === undefined) return false;
  const { consent, suppression } = profile.subscriptions.email.marketing;
  switch (kind) {
    case 'consented':
      return consent === 'SUBSCRIBED' && suppression.length === 0;
    case 'opted out':
      return consent === 'UNSUBSCRIBED' && suppression.length > 0;
    case 'suppressed':
      return consent !== 'SUBSCRIBED' && suppression.length > 0;
  }
}
