import type { Channel, Operation } from '../../../src/contracts/channels.js';
import {
  assignJobs,
  beginSubmission,
  openRepairs,
  reportedParts,
  type Begun,
  type Ledger,
  type OptOut,
} from '../../../src/ledger/index.js';
import { intent, part } from '../../support/intents.js';
import { store } from '../../support/ledger.js';

export const SAID_AT = '2026-03-04T05:06:07Z';
const ENDPOINTS: Record<Operation, string> = {
  subscribe: 'bulk_subscribe_profiles',
  unsubscribe: 'bulk_unsubscribe_profiles',
  suppress: 'bulk_suppress_profiles',
  remove_from_list: 'remove_profiles_from_list',
  unsuppress: 'bulk_unsuppress_profiles',
  add_to_list: 'bulk_import_profiles',
};

export const address = (n: number) => `p${n}@example.com`;
export const phone = (n: number) => `+1201555010${n}`;

/** Runs about the same few people, calls of theirs, and what comes of them, in a ledger that is open by then. */
export function runsIn(ledger: () => Ledger) {
  let made = 0;
  const unique = (what: string) => `${what}-${(made += 1)}`;

  /** A run that asks the same of the first `people`, on each of these channels. */
  async function run(
    accountId: string,
    people: number,
    {
      channels = ['email'],
      operation = 'subscribe',
    }: { channels?: readonly Channel[]; operation?: Operation } = {},
  ): Promise<string> {
    const id = unique('run');
    const rows = Array.from({ length: people }, (_, n) =>
      intent({
        email: address(n),
        phoneNumber: phone(n),
        parts: channels.map((channel) => part({ channel, operation })),
      }),
    );
    await store(ledger(), id, rows, {}, accountId);
    await assignJobs(ledger().db, id);
    return id;
  }

  /** A call about people of a run, by their numbers from 0. */
  function begin(
    migrationId: string,
    people: readonly number[],
    {
      operation = 'subscribe',
      channels = ['email'],
    }: { operation?: Operation; channels?: readonly Channel[] } = {},
  ): Promise<Begun> {
    return beginSubmission(ledger().db, {
      migrationId,
      jobNumber: 1,
      bringsIn: operation === 'subscribe' || operation === 'add_to_list',
      optsOutOf: operation === 'unsubscribe' || operation === 'suppress' ? 'everything' : null,
      asks: null,
      endpoint: ENDPOINTS[operation],
      now: null,
      parts: people.flatMap((n) => channels.map((channel) => ({ rowNumber: n + 1, channel }))),
    });
  }

  /** Who is in a call, and for which channel. */
  const carriedBy = (begun: Begun): string[] =>
    begun.state === 'begun'
      ? begun.parts.map(({ rowNumber, channel }) => `${rowNumber - 1} ${channel}`).sort()
      : [];

  /** A no of somebody, by their number from 0. */
  const no = (n: number, fields: Partial<OptOut> = {}): OptOut => ({
    channel: 'email',
    identifier: fields.channel === undefined || fields.channel === 'email' ? address(n) : phone(n),
    listId: null,
    at: SAID_AT,
    source: 'event',
    ...fields,
  });

  /** How each part of a run ended. */
  async function reasons(id: string): Promise<string[]> {
    const found: string[] = [];
    for await (const page of reportedParts(ledger().db, id)) {
      found.push(...page.map(({ reason }) => reason ?? 'open'));
    }
    return found;
  }

  /** Whom a run watches or takes out again. */
  const repaired = async (id: string): Promise<string[]> =>
    (await openRepairs(ledger().db, id))
      .map(({ rowNumber, channel }) => `${rowNumber - 1} ${channel}`)
      .sort();

  return { unique, run, begin, carriedBy, no, reasons, repaired };
}
