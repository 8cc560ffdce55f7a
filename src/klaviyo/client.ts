import * as z from 'zod';
import { BATCH_LIMITS } from '../contracts/limits.js';
import { callOf, orListNotFound, readOptional } from './calls.js';
import { readableBaseUrl, readableKey } from './client-settings.js';
import type { EndpointName } from './endpoints.js';
import { KlaviyoAnswerUnexpectedError, KlaviyoRequestInvalidError } from './errors.js';
import { eventPageSchema, metricSchema, type FeedEvent, type Metric } from './event-feed.js';
import {
  anyOf,
  chunkLookUps,
  eventsSince,
  joinedSince,
  named,
  type LookUpField,
} from './filters.js';
import type { RateLimiter } from './limiter.js';
import { cursorOf, Pages } from './paging.js';
import { profileSchema, type ProfileConsent } from './profile-consent.js';
import {
  addToListBody,
  importBody,
  subscribeBody,
  suppressBody,
  unsubscribeBody,
  type ImportRequest,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from './requests.js';
import type { RateLimitReading } from './rate-limit-headers.js';
import * as resources from './resources.js';
import { Transport, type Call, type CallOptions, type CallRecord } from './transport.js';

export interface KlaviyoClientOptions {
  /** Private key (`pk_...`). It is sent to `baseUrl` and nowhere else, and shown nowhere. */
  readonly apiKey: string;
  /** Origin of the API: `https://a.klaviyo.com`, or a sandbox's address. */
  readonly baseUrl: string;
  readonly limiter: RateLimiter;
  /** Told of every HTTP call; must not throw. */
  readonly onCall?: (call: CallRecord) => void;
  /** Connecting, sending and reading one call, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Version in the `User-Agent`: `consentry/<version>`. Default: `consentry` alone. */
  readonly version?: string;
  /** Default `2026-07-15`. */
  readonly revision?: string;
  /** Default `2026-07-15.pre`. */
  readonly betaRevision?: string;
}

/** Klaviyo took the request; nothing is proved by it, and there is no job to ask after. */
export interface Accepted {
  readonly accepted: true;
  /** `X-Klaviyo-Partial-Failure`: fields of some row that were dropped, e.g. `phone_number`. */
  readonly partialFailure: string | null;
  /** `X-Klaviyo-Req-Id`, for Klaviyo's support; null where the answer has none. */
  readonly requestId: string | null;
}

/** The client's operations, for callers that take a stand-in in their tests. */
export type KlaviyoApi = { [Operation in keyof KlaviyoClient]: KlaviyoClient[Operation] };

const PAGE_OF_LISTS = 10;
const PAGE_OF_SENDERS = 20;
const PAGE_OF_PROFILES = 100;
const PAGE_OF_EVENTS = 1_000;

/**
 * Klaviyo's API, as far as consent needs it. Every operation waits for the limiter, makes one call
 * a page, and never tries again by itself: errors say whether trying again is safe. All throw the
 * errors of `errors.ts`, or `signal.reason` when cancelled.
 */
export class KlaviyoClient {
  readonly #transport: Transport;
  readonly #pages: Pages;

  constructor(options: KlaviyoClientOptions) {
    const baseUrl = readableBaseUrl(options.baseUrl);
    this.#transport = new Transport({
      apiKey: readableKey(options.apiKey),
      baseUrl,
      limiter: options.limiter,
      onCall: options.onCall,
      timeoutMs: options.timeoutMs ?? 30_000,
      revision: options.revision ?? '2026-07-15',
      betaRevision: options.betaRevision ?? '2026-07-15.pre',
      userAgent: options.version === undefined ? 'consentry' : `consentry/${options.version}`,
    });
    this.#pages = new Pages(this.#transport, baseUrl);
  }

  /** Lets calls in flight end, then closes the connections. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** The account of the key. 15 calls a minute: ask once. */
  async getAccount(options?: CallOptions): Promise<resources.Account> {
    const call = callOf('get_accounts');
    const [account] = (await this.#pages.one(resources.accountSchema, call, options)).items;
    if (account !== undefined) return account;
    throw new KlaviyoAnswerUnexpectedError('no account in it', {
      endpoint: call.endpoint,
      status: 200,
    });
  }

  /** What the endpoint's last answer said of its limits; null where none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#transport.rateLimits(endpoint);
  }

  /**
   * One list and the flows that it starts; throws `ListNotFoundError` where the account has none with
   * this id. A key that may not see flows gets the list without them.
   */
  async getList(id: string, options?: CallOptions): Promise<resources.ListWithFlows> {
    const fields = { 'fields[list]': 'name,opt_in_process' };
    const flows = { include: 'flow-triggers', 'fields[flow]': 'name,status,archived' };
    const plain = callOf('get_list', id, fields);
    return orListNotFound(id, async () => {
      const withFlows = await readOptional(() =>
        this.#transport.read(
          resources.listWithFlowsSchema,
          callOf('get_list', id, { ...fields, ...flows }),
          options,
        ),
      );
      if (withFlows.readable) return withFlows.value;
      const answer = z.object({ data: resources.listSchema });
      return { ...(await this.#transport.read(answer, plain, options)).data, flows: null };
    });
  }

  /** Lists of the account, ten a call: those with this name, or every one. */
  listLists({ name, ...options }: CallOptions & { readonly name?: string } = {}): Promise<
    resources.ListInfo[]
  > {
    const call = callOf('get_lists', null, {
      ...(name === undefined ? {} : { filter: named(name) }),
      'fields[list]': 'name,opt_in_process',
      'page[size]': String(PAGE_OF_LISTS),
    });
    return this.#pages.all(resources.listSchema, call, options);
  }

  /** The SMS set-up (beta); the id is the account's. It names no countries: the senders do. */
  async getTextMessagingConfiguration(
    companyId: string,
    options?: CallOptions,
  ): Promise<resources.OptionalReading<resources.TextMessagingConfiguration>> {
    const call = callOf('get_text_messaging_configuration', companyId);
    const answer = z.object({ data: resources.configurationSchema });
    return readOptional(async () => (await this.#transport.read(answer, call, options)).data);
  }

  /** The senders of texts (beta), of every status. */
  listTextMessagingSenders(
    options?: CallOptions,
  ): Promise<resources.OptionalReading<readonly resources.TextMessagingSender[]>> {
    const call = callOf('get_text_messaging_senders', null, {
      'page[size]': String(PAGE_OF_SENDERS),
    });
    return readOptional(() => this.#pages.all(resources.senderSchema, call, options));
  }

  /**
   * Asks for marketing consent of up to 1,000 people. All or nothing: a `KlaviyoRefusedError` names
   * the bad rows (see `splitRefusal`). Clears opt-outs and suppressions of those it subscribes.
   */
  async subscribeProfiles(request: SubscribeRequest, options?: CallOptions): Promise<Accepted> {
    const call = { ...callOf('bulk_subscribe_profiles'), body: subscribeBody(request) };
    return this.#accept(call, options);
  }

  /** Takes marketing consent from up to 100 people, stamped now. All or nothing, as subscribe. */
  async unsubscribeProfiles(request: UnsubscribeRequest, options?: CallOptions): Promise<Accepted> {
    const call = { ...callOf('bulk_unsubscribe_profiles'), body: unsubscribeBody(request) };
    return this.#accept(call, options);
  }

  /**
   * Suppresses up to 100 people by e-mail, creating those that are not there. Klaviyo takes minutes
   * to hours, and the job tells nothing true meanwhile: read the profiles.
   */
  async suppressProfiles(
    emails: readonly string[],
    options?: CallOptions,
  ): Promise<{ readonly jobId: string }> {
    const call = { ...callOf('bulk_suppress_profiles'), body: suppressBody(emails) };
    const answer = z.object({ data: z.object({ id: z.string() }) });
    const { data } = await this.#transport.read(answer, call, options);
    return { jobId: data.id };
  }

  /** Puts up to 10,000 people on a list without consent, creating those that are not there. */
  async importProfiles(
    request: ImportRequest,
    options?: CallOptions,
  ): Promise<{ readonly jobId: string }> {
    const call = { ...callOf('bulk_import_profiles'), body: importBody(request) };
    const answer = z.object({ data: z.object({ id: z.string() }) });
    const { data } = await this.#transport.read(answer, call, options);
    return { jobId: data.id };
  }

  /** How far a bulk import is. A phone number that Klaviyo dropped is not among its failures. */
  async getImportJob(id: string, options?: CallOptions): Promise<resources.ImportJob> {
    const call = callOf('get_bulk_import_profiles_job', id);
    const answer = z.object({ data: resources.importJobSchema });
    return (await this.#transport.read(answer, call, options)).data;
  }

  /**
   * Profiles that have one of up to 100 e-mails or phone numbers, with their consent; who is missing
   * from the result has no profile. Values too long for one URL are asked in several calls.
   */
  async lookUpProfiles(
    query: { readonly by: LookUpField; readonly values: readonly string[] },
    options?: CallOptions,
  ): Promise<ProfileConsent[]> {
    return this.#lookUp('get_profiles', null, query, profileParameters(), options);
  }

  /**
   * One page (100) of a list's members with their consent, oldest membership first. `joinedSince` is
   * an RFC 3339 datetime with an offset, inclusive; Klaviyo refuses one in the future of its own
   * clock, so leave a margin of a minute or more. `next` goes into `cursor` with the same `listId`
   * and `joinedSince`, and is null on the last page. A member can be read twice.
   */
  async listMembers(
    query: {
      readonly listId: string;
      readonly joinedSince: string | null;
      readonly cursor?: string | null;
    },
    options?: CallOptions,
  ): Promise<{ readonly profiles: readonly ProfileConsent[]; readonly next: string | null }> {
    const call = callOf('get_profiles_for_list', query.listId, {
      ...(query.joinedSince === null ? {} : { filter: joinedSince(query.joinedSince) }),
      sort: 'joined_group_at',
      ...profileParameters('joined_group_at'),
      ...(query.cursor ? { 'page[cursor]': query.cursor } : {}),
    });
    return orListNotFound(query.listId, async () => {
      const page = await this.#pages.one(profileSchema, call, options);
      return { profiles: page.items, next: page.next && cursorOf(call, page.next) };
    });
  }

  /** Which of up to 100 people are on a list, with their consent; who is missing is not a member. */
  async lookUpMembers(
    query: {
      readonly listId: string;
      readonly by: LookUpField;
      readonly values: readonly string[];
    },
    options?: CallOptions,
  ): Promise<ProfileConsent[]> {
    return orListNotFound(query.listId, () =>
      this.#lookUp(
        'get_profiles_for_list',
        query.listId,
        query,
        profileParameters('joined_group_at'),
        options,
      ),
    );
  }

  /** Every metric of the account; one that never fired may be missing. */
  listMetrics(options?: CallOptions): Promise<Metric[]> {
    const call = callOf('get_metrics', null, { 'fields[metric]': 'name' });
    return this.#pages.all(metricSchema, call, options);
  }

  /**
   * One page (1,000) of a metric's events since `since`, oldest first; ten times as many a call as
   * there are profiles, and limited far less. `next` goes into `cursor`, all else unchanged.
   */
  async listEvents(
    query: {
      readonly metricId: string;
      readonly since: string;
      readonly cursor?: string | null;
    },
    options?: CallOptions,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly next: string | null }> {
    const call = callOf('get_events', null, {
      filter: eventsSince(query.metricId, query.since),
      sort: 'datetime',
      include: 'profile',
      'fields[event]': 'datetime',
      'fields[profile]': 'email,phone_number',
      'page[size]': String(PAGE_OF_EVENTS),
      ...(query.cursor ? { 'page[cursor]': query.cursor } : {}),
    });
    const page = await this.#transport.read(eventPageSchema, call, options);
    const next = this.#pages.nextOf(call, page.next);
    return { events: page.events, next: next && cursorOf(call, next) };
  }

  /** Puts up to 1,000 profiles on a list by their ids, consent unchanged. All or nothing. */
  async addToList(
    listId: string,
    profileIds: readonly string[],
    options?: CallOptions,
  ): Promise<void> {
    const call = { ...callOf('add_profiles_to_list', listId), body: addToListBody(profileIds) };
    await orListNotFound(listId, () => this.#transport.send(call, options));
  }

  async #lookUp(
    endpoint: EndpointName,
    id: string | null,
    { by, values }: { readonly by: LookUpField; readonly values: readonly string[] },
    parameters: Readonly<Record<string, string>>,
    options: CallOptions | undefined,
  ): Promise<ProfileConsent[]> {
    if (values.length > BATCH_LIMITS.lookUp) {
      throw new KlaviyoRequestInvalidError(
        `it asks for ${values.length} values, and takes ${BATCH_LIMITS.lookUp}; use chunkLookUps.`,
        endpoint,
      );
    }
    // Keyed by id: a profile that changes while pages are read can be on two of them.
    const profiles = new Map<string, ProfileConsent>();
    for (const chunk of chunkLookUps(by, values)) {
      const call = callOf(endpoint, id, { filter: anyOf(by, chunk), ...parameters });
      for (const profile of await this.#pages.all(profileSchema, call, options)) {
        profiles.set(profile.id, profile);
      }
    }
    return [...profiles.values()];
  }

  async #accept(call: Call, options: CallOptions | undefined): Promise<Accepted> {
    const answer = await this.#transport.send(call, options);
    return {
      accepted: true,
      partialFailure: answer.header('x-klaviyo-partial-failure') ?? null,
      requestId: answer.header('x-klaviyo-req-id') ?? null,
    };
  }
}

function profileParameters(...fields: readonly string[]): Record<string, string> {
  return {
    'additional-fields[profile]': 'subscriptions',
    'fields[profile]': ['email', 'phone_number', ...fields, 'subscriptions'].join(','),
    'page[size]': String(PAGE_OF_PROFILES),
  };
}
