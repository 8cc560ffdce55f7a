import * as z from 'zod';
import { callOf, orListNotFound, readOptional } from './calls.js';
import { transportSettings, type KlaviyoClientOptions } from './client-settings.js';
import type { EndpointName } from './endpoints.js';
import { KlaviyoAnswerUnexpectedError } from './errors.js';
import {
  eventPageSchema,
  eventsCall,
  metricSchema,
  type FeedEvent,
  type Metric,
} from './reads/event-feed.js';
import { named, type LookUpField } from './reads/filters.js';
import { cursorOf, Pages } from './reads/paging.js';
import {
  isSuppressedWithin,
  membersCall,
  suppressedCall,
  suppressedOnListCall,
  type Suppressed,
} from './profiles/profile-calls.js';
import type { ProfileConsent, ProfilePage } from './profiles/profile-consent.js';
import { ProfileReads } from './profiles/profile-reads.js';
import {
  importBody,
  subscribeBody,
  suppressBody,
  unsubscribeBody,
  type ImportRequest,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from './writes/requests.js';
import * as resources from './reads/resources.js';
import type { KlaviyoTime } from './transport/klaviyo-clock.js';
import type { RateLimitReading } from './transport/rate-limit-headers.js';
import { Transport, type CallOptions, type Reservation } from './transport/transport.js';
import { Writes, type Accepted, type AcceptedJob } from './writes/writes.js';

/** The client's operations, for callers that take a stand-in in their tests. */
export type KlaviyoApi = { [Operation in keyof KlaviyoClient]: KlaviyoClient[Operation] };

const PAGE_OF_LISTS = 10;
const PAGE_OF_SENDERS = 20;

/**
 * Klaviyo's API, as far as consent needs it. Every operation waits for the limiter and makes one call
 * a page. A read without a usable answer is tried again a few times, a write never: its error says
 * whether it may have been carried out. An endpoint that keeps failing slows down, and no other. All
 * throw the errors of `errors.ts`, or `signal.reason` when cancelled.
 */
export class KlaviyoClient {
  readonly #transport: Transport;
  readonly #pages: Pages;
  readonly #profiles: ProfileReads;
  readonly #writes: Writes;

  constructor(options: KlaviyoClientOptions) {
    const settings = transportSettings(options);
    this.#transport = new Transport(settings);
    this.#pages = new Pages(this.#transport, settings.baseUrl);
    this.#profiles = new ProfileReads(this.#pages);
    this.#writes = new Writes(this.#transport);
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
    const { endpoint } = call;
    throw new KlaviyoAnswerUnexpectedError('no account in it', { endpoint, status: 200 });
  }

  /** What the endpoint's last answer said of its limits; null where none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#transport.rateLimits(endpoint);
  }

  /**
   * Klaviyo's time now, by the `Date` of its answers and never by this machine's clock; null before the
   * first answer. For the time of one call see `CallOptions.onAnswer`.
   */
  now(): KlaviyoTime | null {
    return this.#transport.now();
  }

  /**
   * Waits until one call of the endpoint may be made, by its limits and by how it does: for what has to
   * be checked just before that call. Hand it to the call in its options, or release it.
   */
  reserve(endpoint: EndpointName, signal?: AbortSignal): Promise<Reservation> {
    return this.#transport.reserve(endpoint, signal);
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

  /** The SMS set-up; the id is the account's. It names no countries: the senders do. */
  async getTextMessagingConfiguration(
    companyId: string,
    options?: CallOptions,
  ): Promise<resources.OptionalReading<resources.TextMessagingConfiguration>> {
    const call = callOf('get_text_messaging_configuration', companyId);
    const answer = z.object({ data: resources.configurationSchema });
    return readOptional(async () => (await this.#transport.read(answer, call, options)).data);
  }

  /** The senders of texts, of every status. */
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
    return this.#writes.accept('bulk_subscribe_profiles', subscribeBody(request), options);
  }

  /** Takes marketing consent from up to 100 people, stamped now. All or nothing, as subscribe. */
  async unsubscribeProfiles(request: UnsubscribeRequest, options?: CallOptions): Promise<Accepted> {
    return this.#writes.accept('bulk_unsubscribe_profiles', unsubscribeBody(request), options);
  }

  /**
   * Suppresses up to 100 people by e-mail, creating those that are not there. Klaviyo takes minutes
   * to hours, and the job tells nothing true meanwhile: read the profiles.
   */
  async suppressProfiles(emails: readonly string[], options?: CallOptions): Promise<AcceptedJob> {
    return this.#writes.acceptJob('bulk_suppress_profiles', suppressBody(emails), options);
  }

  /** Puts up to 10,000 people on a list without consent, creating those that are not there. */
  async importProfiles(request: ImportRequest, options?: CallOptions): Promise<AcceptedJob> {
    return this.#writes.acceptJob('bulk_import_profiles', importBody(request), options);
  }

  /**
   * Profiles that have one of up to 100 e-mails or phone numbers, with their consent; who is missing
   * from the result has no profile. Values too long for one URL are asked in several calls.
   */
  async lookUpProfiles(
    query: { readonly by: LookUpField; readonly values: readonly string[] },
    options?: CallOptions,
  ): Promise<ProfileConsent[]> {
    return this.#profiles.lookUp(query, null, options);
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
  ): Promise<ProfilePage> {
    return orListNotFound(query.listId, () => this.#profiles.page(membersCall(query), options));
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
    const { listId } = query;
    return orListNotFound(listId, () => this.#profiles.lookUp(query, listId, options));
  }

  /**
   * One page (100) of the people who got an e-mail suppression after `since` (RFC 3339 with an offset,
   * not in the future of Klaviyo's clock), for this reason or any, with their consent; in no order.
   * Klaviyo takes one date only, so who got theirs after `until` is left out here, and pages can be
   * short. `next` goes into `cursor`, all else unchanged. A profile can be read twice.
   */
  async listSuppressed(
    query: Suppressed & { readonly cursor?: string | null },
    options?: CallOptions,
  ): Promise<ProfilePage> {
    const page = await this.#profiles.page(suppressedCall(query), options);
    return { ...page, profiles: page.profiles.filter(isSuppressedWithin(query)) };
  }

  /** The same for suppressions of one list: opt-outs of that list alone. */
  async listSuppressedOnList(
    query: { readonly listId: string; readonly since: string; readonly cursor?: string | null },
    options?: CallOptions,
  ): Promise<ProfilePage> {
    return this.#profiles.page(suppressedOnListCall(query), options);
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
      /** Asks for the events' properties as well, which may be long. */
      readonly withListName?: boolean;
    },
    options?: CallOptions,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly next: string | null }> {
    const call = eventsCall(query);
    const page = await this.#transport.read(eventPageSchema(query.metricId), call, options);
    const next = this.#pages.nextOf(call, page.next);
    return { events: page.events, next: next && cursorOf(call, next) };
  }
}
