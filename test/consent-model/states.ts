import type { SeedProfile, TruthLine } from 'klaviyo-sandbox';
import type { MigrationRequest } from '../../src/starter/migrations/request/migration-request.js';
import { SINGLE } from '../support/harness.js';

const BEFORE = '2024-01-02T03:04:05Z';

/** What Klaviyo holds of a person before an operation; null if it has no profile. */
export const STATES: Readonly<Record<string, Omit<SeedProfile, 'email'> | null>> = {
  'not in Klaviyo': null,
  'never subscribed': {},
  'never subscribed, on the list': { lists: [SINGLE] },
  subscribed: { email_consent: 'SUBSCRIBED' },
  'subscribed, on the list': { email_consent: 'SUBSCRIBED', lists: [SINGLE] },
  'left the list': { email_consent: 'SUBSCRIBED', list_suppressions: [SINGLE] },
  unsubscribed: { email_consent: 'UNSUBSCRIBED' },
  'unsubscribed, on the list': { email_consent: 'UNSUBSCRIBED', lists: [SINGLE] },
  'suppressed by hand': { email_consent: 'SUBSCRIBED', suppressions: ['USER_SUPPRESSED'] },
  'unsubscribed and suppressed by hand': {
    email_consent: 'UNSUBSCRIBED',
    suppressions: ['USER_SUPPRESSED'],
  },
  'hard bounce': { email_consent: 'SUBSCRIBED', suppressions: ['HARD_BOUNCE'] },
  'spam complaint': { email_consent: 'SUBSCRIBED', suppressions: ['SPAM_COMPLAINT'] },
};

export const seedOf = (email: string, state: Omit<SeedProfile, 'email'>): SeedProfile => ({
  email,
  consent_timestamp: BEFORE,
  ...state,
});

/** What is done, as a request and the cells of each row after its address. */
export const OPERATIONS: Readonly<
  Record<string, { columns: string; cells: string; request?: Partial<MigrationRequest> }>
> = {
  subscribe: { columns: 'email_consent', cells: 'yes' },
  unsubscribe: { columns: 'email_consent', cells: 'unsubscribed' },
  'unsubscribe --from list': {
    columns: 'email_consent',
    cells: 'unsubscribed',
    request: { unsubscribeFrom: 'list' },
  },
  suppress: { columns: 'suppressed', cells: 'yes' },
  unsuppress: { columns: 'suppressed', cells: 'lifted' },
  'add to list': { columns: 'list', cells: 'add' },
  'remove from list': { columns: 'list', cells: 'remove' },
};

/** What an operation changed, in words; null if nothing. */
export function changes(
  before: TruthLine | undefined,
  after: TruthLine | undefined,
): string | null {
  if (after === undefined) return before === undefined ? null : 'profile gone';
  const of = (line: TruthLine | undefined) => {
    const email = line?.subscriptions.email.marketing;
    return {
      consent: email?.consent ?? 'NEVER_SUBSCRIBED',
      reasons: new Set<string>(email?.suppression.map(({ reason }) => reason)),
      isMember: line?.lists.some(({ id }) => id === SINGLE) ?? false,
    };
  };
  const [was, is] = [of(before), of(after)];
  const said = [
    ...(before === undefined ? ['new profile'] : []),
    ...(was.consent === is.consent ? [] : [`\`${is.consent}\``]),
    ...[...is.reasons].filter((reason) => !was.reasons.has(reason)).map((r) => `+ \`${r}\``),
    ...[...was.reasons].filter((reason) => !is.reasons.has(reason)).map((r) => `− \`${r}\``),
    ...(was.isMember === is.isMember ? [] : [is.isMember ? 'joins the list' : 'leaves the list']),
  ];
  return said.length === 0 ? null : said.join(', ');
}
