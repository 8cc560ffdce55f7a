import {
  type ConsentChangeLine,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
  type TruthLine,
} from 'klaviyo-sandbox';
import { uniqueName } from '../../support/database.js';
import type { AccountChronicle, Identity } from '../chronicle.js';
import type { PersonSpec, Scenario } from '../scenarios/scenario.js';

export const LISTS = { single: 'SINGL1', double: 'DOUBL1' } as const;

/** Slow enough that a run can be met in the middle, and quick enough for thousands of them. */
const DELAYS = {
  subscribeLive: [200, 1_500],
  subscribeHistorical: [200, 2_000],
  importNew: [100, 800],
  importExisting: [50, 300],
  confirmationMessage: [50, 300],
  confirmed: [20, 100],
  suppression: [300, 1_500],
  suppressionNew: [300, 2_000],
  event: [200, 1_200],
  merge: [10, 40],
} as const satisfies SandboxOptions['delays'];

/** A simulated Klaviyo account with the people of a scenario, and all that happens in it. */
export class StagedAccount {
  readonly people: readonly Identity[];
  readonly before: readonly TruthLine[];
  readonly #changes: ConsentChangeLine[] = [];

  private constructor(
    readonly sandbox: Sandbox,
    people: readonly Identity[],
  ) {
    this.people = people;
    this.before = [...sandbox.account.truth()];
    sandbox.account.onConsentChange((line) => this.#changes.push(line));
  }

  static async open(
    scenario: Scenario,
    place: number,
    onRequest: NonNullable<SandboxOptions['onRequest']>,
  ): Promise<StagedAccount> {
    const sandbox = await startSandbox({
      account: { id: uniqueName(`acc${place}`).replaceAll('-', '') },
      delays: { ...DELAYS, readLag: [0, scenario.readLagMs] },
      clicks: { share: 0, delayMs: [0, 0] },
      // Opt-outs are watched twenty times as closely as in life.
      rateLimitFactor: 8,
      lists: [
        { id: LISTS.single, name: 'Single', opt_in_process: 'single_opt_in' },
        { id: LISTS.double, name: 'Double', opt_in_process: 'double_opt_in' },
      ],
      switches: scenario.switches,
      clockAheadMs: scenario.clockAheadMs,
      onRequest,
      ...(scenario.events ? {} : { scopes: WITHOUT_EVENTS }),
    });
    const people = scenario.people.map((spec, n) => identityOf(spec, place, n));
    scenario.people.forEach((spec, n) => {
      const identity = people[n];
      if (identity !== undefined) seed(sandbox, spec, identity);
    });
    return new StagedAccount(sandbox, people);
  }

  chronicle(): AccountChronicle {
    const { account } = this.sandbox;
    const throttled = account
      .requests()
      .reduce((sum, { statuses }) => sum + (statuses['429'] ?? 0), 0);
    return {
      people: this.people,
      before: this.before,
      after: [...account.truth()],
      changes: this.#changes,
      carried: [...account.subscribed()],
      messages: [...account.messages()].map(({ to, list_id, count }) => ({
        to,
        listId: list_id,
        count,
      })),
      throttled,
    };
  }
}

/** Every scope that a run needs but those of events. */
const WITHOUT_EVENTS = [
  'accounts:read',
  'lists:read',
  'lists:write',
  'profiles:read',
  'profiles:write',
  'subscriptions:write',
  'sender-config:read',
];

function identityOf(spec: PersonSpec, account: number, n: number): Identity {
  const email = `a${account}k${n}@example.com`;
  const written =
    spec.spelling === 'lower'
      ? email
      : spec.spelling === 'upper'
        ? email.toUpperCase()
        : email.replace('a', 'A').replace('example', 'Example');
  return {
    email,
    written,
    phone: spec.hasPhone ? `+120155501${String(account * 20 + n).padStart(2, '0')}` : null,
  };
}

function seed({ account }: Sandbox, spec: PersonSpec, { written, phone }: Identity): void {
  if (spec.profiles === 'none') return;
  const dated = { consent_timestamp: '2023-01-01T00:00:00Z' };
  const mails = {
    ...(spec.email === 'none' ? {} : { email_consent: spec.email }),
    ...(spec.suppression === null ? {} : { suppressions: [spec.suppression] }),
    ...(spec.leftList ? { list_suppressions: [LISTS.single, LISTS.double] } : {}),
  };
  const texts = phone === null || spec.sms === 'none' ? {} : { sms_consent: spec.sms };
  const number = phone === null ? {} : { phone_number: phone };
  if (spec.profiles === 'split') {
    account.seed({ ...dated, email: written, ...mails });
    if (phone !== null) account.seed({ ...dated, ...number, ...texts });
    return;
  }
  account.seed({ ...dated, email: written, ...number, ...mails, ...texts });
  if (spec.profiles === 'twice') account.seed({ ...dated, email: written, separate_profile: true });
}
