import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  AccountsApi,
  ApiKeySession,
  DataPrivacyApi,
  EventsApi,
  ListsApi,
  MetricsApi,
  ProfilesApi,
  RetryWithExponentialBackoff,
  SegmentsApi,
  WebhooksApi,
  type SubscriptionCreateJobCreateQuery,
} from 'klaviyo-api';
import { startSandbox, type Sandbox, type SandboxOptions } from '../../src/index.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** The official client's classes, one for each tag of the specification, all for one sandbox. */
export interface Official {
  readonly sandbox: Sandbox;
  readonly accounts: AccountsApi;
  readonly dataPrivacy: DataPrivacyApi;
  readonly events: EventsApi;
  readonly lists: ListsApi;
  readonly metrics: MetricsApi;
  readonly profiles: ProfilesApi;
  readonly segments: SegmentsApi;
  readonly webhooks: WebhooksApi;
  /** Skips Klaviyo's time, so that accepted changes show and rate limit windows end. */
  after: (ms: number) => void;
}

/** Operations that succeeded for the client, in all tests of this process. */
const driven = new Set<string>();

export const drivenOperations = (): string[] => [...driven].sort();

/** The official client with its own sandbox, closed when the test ends. Delays are Klaviyo's. */
export async function officialClient(
  t: TestContext,
  options: SandboxOptions = {},
  { apiKey, numRetries = 0 }: { apiKey?: string; numRetries?: number } = {},
): Promise<Official> {
  const sandbox = await startSandbox({
    lists: [
      { id: 'Single', name: 'Single', opt_in_process: 'single_opt_in' },
      { id: 'Double', name: 'Double', opt_in_process: 'double_opt_in' },
    ],
    clicks: { share: 0, delayMs: [1_000, MINUTE] },
    ...options,
  });
  t.after(async () => {
    for (const { operation, statuses } of sandbox.account.requests()) {
      if (Object.keys(statuses).some((status) => status.startsWith('2'))) driven.add(operation);
    }
    await sandbox.close();
  });
  const retries = new RetryWithExponentialBackoff({ numRetries });
  const session = new ApiKeySession(apiKey ?? sandbox.apiKey, retries);
  const here = <Api extends { basePath: string }>(api: Api): Api => {
    api.basePath = sandbox.url;
    return api;
  };
  return {
    sandbox,
    accounts: here(new AccountsApi(session)),
    dataPrivacy: here(new DataPrivacyApi(session)),
    events: here(new EventsApi(session)),
    lists: here(new ListsApi(session)),
    metrics: here(new MetricsApi(session)),
    profiles: here(new ProfilesApi(session)),
    segments: here(new SegmentsApi(session)),
    webhooks: here(new WebhooksApi(session)),
    after: (ms) => sandbox.account.advance(ms),
  };
}

interface Refused {
  isAxiosError: true;
  response: {
    status: number;
    headers: Record<string, string>;
    data: {
      errors: {
        status: number;
        code: string;
        title: string;
        detail: string;
        source: { pointer?: string; parameter?: string };
        meta?: Record<string, unknown>;
      }[];
    };
  };
}

/** The answer behind the error that the client throws. */
export async function refusalOf(call: Promise<unknown>): Promise<Refused['response']> {
  const error = await call.then(
    () => assert.fail('the call was to be refused'),
    (thrown: unknown) => thrown as Partial<Refused>,
  );
  assert.ok(error.isAxiosError === true && error.response !== undefined, JSON.stringify(error));
  return error.response;
}

/** The status, and pointer and text of each error. */
export async function refusedWith(call: Promise<unknown>): Promise<[number, ...string[][]]> {
  const { status, data } = await refusalOf(call);
  return [
    status,
    ...data.errors.map(({ source, detail }) => [source.pointer ?? source.parameter ?? '', detail]),
  ];
}

interface Page<Item> {
  body: { data: Item[]; links?: { next?: string | null } };
}

/** Follows `links.next` as the client's documentation shows: as the next call's cursor. */
export async function everyPage<Item>(
  read: (at: { pageCursor?: string }) => Promise<Page<Item>>,
): Promise<Item[][]> {
  const pages: Item[][] = [];
  let next: string | null | undefined;
  do {
    const { body } = await read(typeof next === 'string' ? { pageCursor: next } : {});
    pages.push(body.data);
    next = body.links?.next;
  } while (typeof next === 'string');
  return pages;
}

type Row = SubscriptionCreateJobCreateQuery['data']['attributes']['profiles']['data'][number];

/** Attributes of a person who subscribes to the channels' marketing. */
export function row(
  identifiers: { email?: string; phoneNumber?: string },
  channels: readonly ('email' | 'sms')[] = ['email'],
  consentedAt?: Date,
): Row {
  const marketing = {
    consent: 'SUBSCRIBED' as const,
    ...(consentedAt === undefined ? {} : { consentedAt }),
  };
  const subscriptions = Object.fromEntries(channels.map((channel) => [channel, { marketing }]));
  return { type: 'profile', attributes: { ...identifiers, subscriptions } };
}

export function subscribeQuery(
  rows: Row[],
  {
    list,
    ...attributes
  }: { list?: string; historicalImport?: boolean; customSource?: string } = {},
): SubscriptionCreateJobCreateQuery {
  return {
    data: {
      type: 'profile-subscription-bulk-create-job',
      attributes: { profiles: { data: rows }, ...attributes },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list } } } }),
    },
  };
}
