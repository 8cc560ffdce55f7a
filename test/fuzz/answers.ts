import fc from 'fast-check';
import { optOutOf } from '../../src/consent/opt-outs.js';
import { lookUpPeople } from '../../src/activities/look-ups.js';
import { KlaviyoError, type KlaviyoClient } from '../../src/klaviyo/index.js';
import { json, type KlaviyoServer, type Received } from '../support/klaviyo/klaviyo-server.js';
import { held, share, type Kind } from './kinds.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const AT = '2024-01-01T00:00:00+00:00';
const marketing = (consent: string, canReceive: boolean, reasons: readonly string[]): Json => ({
  consent,
  consent_timestamp: AT,
  last_updated: AT,
  can_receive_email_marketing: canReceive,
  method: 'API',
  custom_method_detail: null,
  double_optin: false,
  suppression: reasons.map((reason) => ({ reason, timestamp: AT })),
  list_suppressions: [],
});
const texts = (consent: string): Json => ({
  marketing: {
    consent,
    consent_timestamp: AT,
    last_updated: AT,
    method: 'TEXT',
    can_receive_sms_marketing: consent === 'SUBSCRIBED',
  },
  transactional: null,
});

/** Who said no, each in a way of their own. */
const PEOPLE = [
  {
    email: 'ada@example.com',
    phone_number: '+12015550101',
    subscriptions: {
      email: { marketing: marketing('UNSUBSCRIBED', false, ['UNSUBSCRIBE']) },
      sms: texts('UNSUBSCRIBED'),
    },
  },
  {
    email: 'bob@example.com',
    phone_number: '+12015550102',
    subscriptions: {
      email: { marketing: marketing('SUBSCRIBED', false, ['SPAM_COMPLAINT']) },
      sms: texts('UNSUBSCRIBED'),
    },
  },
  {
    email: 'eve@example.com',
    phone_number: '+12015550103',
    subscriptions: {
      email: { marketing: marketing('NEVER_SUBSCRIBED', false, ['USER_SUPPRESSED']) },
      sms: texts('UNSUBSCRIBED'),
    },
  },
] as const;
const PROFILES: readonly Json[] = PEOPLE.map((attributes, n) => ({
  type: 'profile',
  id: `P${n}`,
  attributes: attributes,
  relationships: {},
  links: { self: 'https://klaviyo.test/api/profiles/P' },
}));

/** Undefined takes what is there away. Nothing of it says that anybody consented. */
const GARBAGE = fc.constantFrom<Json | undefined>(
  undefined,
  undefined,
  null,
  null,
  0,
  -1,
  1e308,
  '',
  ' ',
  '\0',
  '\u200B',
  '0000-00-00',
  '+275760-09-13T00:00:00Z',
  'UNSUBSCRIBED',
  'subscribed',
  'Subscribed ',
  'x'.repeat(70_000),
  [],
  [null],
  {},
  { consent: null },
);

/** Members of a profile that say who it is, and what they said. */
const WEIGHTY: ReadonlySet<string> = new Set([
  'email',
  'phone_number',
  'subscriptions',
  'consent',
  'suppression',
  'can_receive_email_marketing',
]);

interface Mutation {
  /** Which of all places in the profile, from 0 to 1. */
  readonly at: number;
  readonly garbage: Json | undefined;
}

/** At most one in each profile: what says no there twice is to be seen by one of the two. */
export const answers = fc.record({
  mutations: fc.tuple(
    ...PROFILES.map(() =>
      fc.option(
        fc.record({
          at: share,
          garbage: GARBAGE,
        }),
      ),
    ),
  ),
  /** All profiles have one id. */
  oneId: fc.constantFrom(false, false, false, true),
  /** What is odd is answered once, and the same question later finds nobody there. */
  once: fc.constantFrom(false, false, false, true),
  /** What stands in place of the whole answer's member of that name. */
  around: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({ name: fc.constantFrom('data', 'links', 'meta'), garbage: GARBAGE }),
    },
  ),
});
type Answers = typeof answers extends fc.Arbitrary<infer T> ? T : never;

function mutated(profile: Json, mutation: Mutation | null): Json {
  const copy = structuredClone(profile);
  if (mutation === null) return copy;
  const places = placesIn(copy).flatMap((each) =>
    WEIGHTY.has(each.key) ? (Array(8).fill(each) as Place[]) : [each],
  );
  const place = places[Math.floor(mutation.at * places.length)];
  if (place === undefined) return copy;
  const { holder, key } = place;
  if (mutation.garbage === undefined) {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  } else (holder as Record<string, Json>)[key] = mutation.garbage;
  return copy;
}

interface Place {
  readonly holder: Json[] | { [key: string]: Json };
  readonly key: string;
}

function placesIn(value: Json): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { holder: value, key },
    ...placesIn((value as Record<string, Json>)[key] ?? null),
  ]);
}

/** The profiles that a filter such as `any(email,["a","b"])` asks for, by what they are in truth. */
function askedOf({ query }: Received): number[] {
  const values = JSON.parse(/\[.*\]/.exec(query.get('filter') ?? '')?.[0] ?? '[]') as string[];
  return PEOPLE.flatMap(({ email, phone_number }, n) =>
    values.includes(email) || values.includes(phone_number) ? [n] : [],
  );
}

/**
 * Looks people up who all said no, and of whom Klaviyo's answers say something odd. Either the look-up
 * fails as one of the client's errors, or nobody may be subscribed.
 *
 * @throws Error where that is not so
 */
export async function readAnyAnswer(
  { mutations, oneId, once, around }: Answers,
  server: KlaviyoServer,
  klaviyo: KlaviyoClient,
): Promise<Kind> {
  const profiles = PROFILES.map((profile, n) => mutated(profile, mutations[n] ?? null));
  if (oneId) for (const profile of profiles) (profile as { id?: Json }).id = 'P0';
  const told = new Set<string>();
  server.answer((request, response) => {
    const by = request.query.get('filter')?.startsWith('any(email') ? 'email' : 'phone_number';
    const data = askedOf(request).flatMap((n) => {
      const isOdd = mutations[n] !== null;
      if (once && isOdd && told.has(`${by} ${n}`)) return [];
      told.add(`${by} ${n}`);
      return [profiles[n] ?? null];
    });
    const body: Record<string, unknown> = { data, links: { self: '', next: null } };
    // An empty list is an answer: nobody is there.
    if (around !== null && !(around.name === 'data' && Array.isArray(around.garbage))) {
      body[around.name] = around.garbage;
    }
    json(200, body)(request, response);
  });
  const emails = PEOPLE.map(({ email }) => email);
  const phoneNumbers = PEOPLE.map(({ phone_number }) => phone_number);
  try {
    const { index, shortage } = await lookUpPeople(klaviyo, { emails, phoneNumbers });
    if (shortage !== null) return `short: ${shortage.name}`;
    const reasons = PEOPLE.flatMap(({ email, phone_number: phoneNumber }) => {
      const { byEmail, byPhone } = index.heldFor({ email, phoneNumber });
      return [optOutOf('email', byEmail, null), optOutOf('sms', byPhone, null)];
    });
    held(reasons.every((reason) => reason !== null));
    return reasons.includes('consent_state_unknown') ? 'partly unknown' : 'known';
  } catch (error) {
    if (!(error instanceof KlaviyoError)) throw error;
    held(error.message.length < 5_000);
    return `refused: ${error.name}`;
  }
}
