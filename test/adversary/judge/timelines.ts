import type { SubscribedLine, TruthLine } from 'klaviyo-sandbox';
import type { ReportedPart } from '../../../src/ledger/index.js';
import type { AccountChronicle, Chronicle, Identity } from '../chronicle.js';
import { Timeline, type JudgedChannel } from './timeline.js';

/** What happened to everybody. */
export class Timelines {
  readonly #timelines = new Map<string, Timeline>();

  constructor(private readonly chronicle: Chronicle) {}

  of(place: number, channel: JudgedChannel, identifier: string): Timeline {
    const key = `${place} ${channel} ${identifier}`;
    const known = this.#timelines.get(key);
    if (known !== undefined) return known;
    const { accounts, said, runs } = this.chronicle;
    const lifts = runs
      .filter(({ spec, parts }) => spec.account === place && parts.some(isLiftOf(identifier)))
      .map(({ startedAt }) => startedAt);
    const account = accountAt(accounts, place);
    const timeline = Timeline.of(account, place, said, channel, identifier, lifts);
    this.#timelines.set(key, timeline);
    return timeline;
  }

  exposures(): number[] {
    return everyChannel(this.chronicle).flatMap(([place, channel, identifier]) =>
      this.of(place, channel, identifier).exposures(null),
    );
  }
}

const isLiftOf =
  (identifier: string) =>
  ({ operation, email, sent }: ReportedPart): boolean =>
    operation === 'unsuppress' && sent && email === identifier;

export function everyChannel({ accounts }: Chronicle): [number, JudgedChannel, string][] {
  return accounts.flatMap(({ people }, place) =>
    people.flatMap((who) =>
      (['email', 'sms'] as const).flatMap((channel): [number, JudgedChannel, string][] => {
        const identifier = identifierOf(who, channel);
        return identifier === null ? [] : [[place, channel, identifier]];
      }),
    ),
  );
}

export function accountAt(accounts: readonly AccountChronicle[], place: number): AccountChronicle {
  const account = accounts[place];
  if (account === undefined) throw new Error(`no account ${place}`);
  return account;
}

export function identifierOf({ email, phone }: Identity, channel: JudgedChannel): string | null {
  return channel === 'email' ? email : phone;
}

export function carriedBy(line: SubscribedLine): [JudgedChannel, string][] {
  const { channels, email, phone_number } = line;
  return [
    ...(channels.includes('email') && email !== null
      ? [['email', email.toLowerCase()] as [JudgedChannel, string]]
      : []),
    ...(channels.includes('sms') && phone_number !== null
      ? [['sms', phone_number] as [JudgedChannel, string]]
      : []),
  ];
}

export function isOn({ lists, subscriptions }: TruthLine, listId: string): boolean {
  const left = subscriptions.email.marketing.list_suppressions;
  return lists.some(({ id }) => id === listId) && !left.some(({ list_id }) => list_id === listId);
}
