import { FICTION_PHONES, fictionPhone } from '../src/people/fiction-phones.js';
import type { SandboxAccount } from '../src/index.js';
import { knownEmail, TILL } from './account.js';
import type { Case } from './reads.js';
import type { Request } from './requests.js';

const MARKETING = { marketing: { consent: 'SUBSCRIBED' } };

const post = (operation: string, path: string, attributes: object, lists?: object): Request => ({
  operation,
  path: `/api/${path}`,
  body: {
    data: {
      type: path.slice(0, -1),
      attributes,
      ...(lists === undefined ? {} : { relationships: lists }),
    },
  },
});

const rows = (count: number, of: (i: number) => object) => ({
  profiles: {
    data: Array.from({ length: count }, (_, i) => ({ type: 'profile', attributes: of(i) })),
  },
});

/** From the end of the range: the account's own people start at the beginning. */
const phoneOf = (i: number): string => fictionPhone(FICTION_PHONES - 1 - i);

const list = { list: { data: { type: 'list', id: TILL } } };

/** A thousand rows: people who are new to the account, or who already exist. */
function subscribe(n: number, email: (i: number) => string, withPhone: boolean): Request {
  const attributes = rows(1_000, (i) => ({
    email: email(n * 1_000 + i),
    ...(withPhone ? { phone_number: phoneOf(n * 1_000 + i) } : {}),
    subscriptions: { email: MARKETING, ...(withPhone ? { sms: MARKETING } : {}) },
  }));
  const path = 'profile-subscription-bulk-create-jobs';
  return post('bulk_subscribe_profiles', path, attributes, list);
}

export const SUBSCRIBE_TARGET = 60;

export const writeCases = (account: SandboxAccount): Case[] => [
  {
    name: 'subscribe: 1,000 new people, email',
    calls: 20,
    target: SUBSCRIBE_TARGET,
    takesEffect: true,
    request: (n) => subscribe(n, (i) => `new.${i}@example.org`, false),
  },
  {
    name: 'subscribe: 1,000 known people, email',
    calls: 20,
    target: SUBSCRIBE_TARGET,
    takesEffect: true,
    request: (n) => subscribe(n, (i) => knownEmail(account, 2 * i), false),
  },
  {
    name: 'subscribe: 1,000 new people, email and sms',
    calls: 10,
    target: SUBSCRIBE_TARGET,
    takesEffect: true,
    request: (n) => subscribe(n, (i) => `texted.${i}@example.org`, true),
  },
  {
    name: 'unsubscribe: 100',
    calls: 50,
    request: (n) =>
      post(
        'bulk_unsubscribe_profiles',
        'profile-subscription-bulk-delete-jobs',
        rows(100, (i) => ({
          email: knownEmail(account, 2 * (n * 100 + i)),
          subscriptions: { email: { marketing: { consent: 'UNSUBSCRIBED' } } },
        })),
      ),
  },
  {
    name: 'import: 10,000',
    warmUp: 1,
    calls: 5,
    takesEffect: true,
    request: (n) =>
      post(
        'bulk_import_profiles',
        'profile-bulk-import-jobs',
        rows(10_000, (i) => ({
          email: `imported.${n * 10_000 + i}@example.org`,
          first_name: 'Robin',
          properties: { source: 'till', visits: i },
        })),
        { lists: { data: [{ type: 'list', id: TILL }] } },
      ),
  },
];
