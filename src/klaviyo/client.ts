import * as z from 'zod';
import type { OptInProcess } from '../contracts/channels.js';
import { callOf, orListNotFound, orNoProfile, readOptional } from './calls.js';
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
import { importErrorSchema, type JsonApiError } from './json-api.js';
import { named, type LookUpField } from './reads/filters.js';
import { cursorOf, Pages } from './reads/paging.js';
import {
  isSuppressedWithin,
  changedCall,
  membersCall,
  suppressedCall,
  suppressedOnListCall,
  type Suppressed,
} from './profiles/profile-calls.js';
import {
  membershipSchema,
  membershipsCall,
  type MembershipsPage,
  type MembershipsQuery,
} from './profiles/memberships.js';
import type { ProfileConsent, ProfilePage } from './profiles/profile-consent.js';
import {
  profileReadingSchema,
  readingsCall,
  type ProfilesQuery,
  type ReadingsPage,
} from './profiles/profile-readings.js';
import { ProfileReads } from './profiles/profile-reads.js';
import {
  importBody,
  listBody,
  removalBody,
  subscribeBody,
  suppressionBody,
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

/** The client's operations, for callers that use a fake in their tests. */
export type KlaviyoApi = { [Operation in keyof KlaviyoClient]: KlaviyoClient[Operation] };

const PAGE_OF_LISTS = 10;
const PAGE_OF_SENDERS = 20;
const PAGE_OF_IMPORT_ERRORS = 100;

/**
 * The part of Klaviyo's API that consent needs. Every operation waits for the limiter and makes one
 * call per page. A read without a usable answer is retried a few times, a write never: its error
 * says whether it may have been applied. An endpoint that keeps failing is slowed down,
 * independently of the others. All operations throw the errors of `errors.ts`, or `signal.reason`
 * when cancelled.
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

  /** Lets calls in flight finish, then closes the connections. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** The account of the key. Limited to 15 calls per minute: call it once. */
  async getAccount(options?: CallOptions): Promise<resources.Account> {
    const call = callOf('get_accounts');
    const [account] = (await this.#pages.one(resources.accountSchema, call, options)).items;
    if (account !== undefined) return account;
    const { endpoint } = call;
    throw new KlaviyoAnswerUnexpectedError('no account in it', { endpoint, status: 200 });
  }

  /** What the endpoint's last answer said about its limits; null if none did. */
  rateLimits(endpoint: EndpointName): RateLimitReading | null {
    return this.#transport.rateLimits(endpoint);
  }

  /**
   * Klaviyo's current time, from the `Date` of its answers and never from this machine's clock;
   * null before the first answer. For the time of one call see `CallOptions.onAnswer`.
   */
  now(): KlaviyoTime | null {
    return this.#transport.now();
  }

  /**
   * Waits until one call of the endpoint may be made, by its limits and its health. Use it for a
   * check that has to come just before that call. Pass the reservation to the call in its options,
   * or release it.
   */
  reserve(endpoint: EndpointName, signal?: AbortSignal): Promise<Reservation> {
    return this.#transport.reserve(endpoint, signal);
  }

  /**
   * One list and the flows that it starts; throws `ListNotFoundError` if the account has no list
   * with this id. A key that may not read flows gets the list without them.
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

  /** Lists of the account, ten per call: those with this name, or all. */
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

  /**
   * Creates a list with this opt-in process. Klaviyo allows several lists of one name: look for it
   * first, and again after an answer that was lost.
   */
  async createList(
    list: { readonly name: string; readonly optInProcess: OptInProcess },
    options?: CallOptions,
  ): Promise<resources.ListInfo> {
    const call = { ...callOf('create_list'), body: listBody(list) };
    const answer = z.object({ data: resources.listSchema });
    return (await this.#transport.read(answer, call, options)).data;
  }

  /** The SMS set-up; the id is the account's. Countries are not in it, but in the senders. */
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
   * Subscribes up to 1,000 people to marketing. All or nothing: a `KlaviyoRefusedError` names the
   * bad rows (see `splitRefusal`). Clears opt-outs and suppressions of the people it subscribes.
   */
  async subscribeProfiles(request: SubscribeRequest, options?: CallOptions): Promise<Accepted> {
    return this.#writes.accept('bulk_subscribe_profiles', subscribeBody(request), options);
  }

  /** Unsubscribes up to 100 people from marketing, as of now. All or nothing, as subscribe. */
  async unsubscribeProfiles(request: UnsubscribeRequest, options?: CallOptions): Promise<Accepted> {
    return this.#writes.accept('bulk_unsubscribe_profiles', unsubscribeBody(request), options);
  }

  /**
   * Suppresses up to 100 people by e-mail, creating missing profiles. Klaviyo takes minutes to
   * hours, and the job's status is not reliable meanwhile: read the profiles.
   */
  async suppressProfiles(emails: readonly string[], options?: CallOptions): Promise<AcceptedJob> {
    return this.#changeSuppressions('bulk_suppress_profiles', emails, options);
  }

  /**
   * Lifts the suppressions by hand (`USER_SUPPRESSED`) of up to 100 people by e-mail; others, and
   * consent, stay as they are. As slow as a suppression, and as silent.
   */
  async unsuppressProfiles(emails: readonly string[], options?: CallOptions): Promise<AcceptedJob> {
    return this.#changeSuppressions('bulk_unsuppress_profiles', emails, options);
  }

  #changeSuppressions(
    endpoint: 'bulk_suppress_profiles' | 'bulk_unsuppress_profiles',
    emails: readonly string[],
    options?: CallOptions,
  ): Promise<AcceptedJob> {
    return this.#writes.acceptJob(endpoint, suppressionBody(endpoint, emails), options);
  }

  /**
   * Removes up to 1,000 profiles from a list; their consent stays. Klaviyo refuses the whole call if
   * it does not know one of the ids.
   */
  async removeFromList(
    { listId, profileIds }: { readonly listId: string; readonly profileIds: readonly string[] },
    options?: CallOptions,
  ): Promise<Accepted> {
    const endpoint = 'remove_profiles_from_list';
    return orListNotFound(listId, () =>
      this.#writes.accept(endpoint, removalBody(profileIds), options, listId),
    );
  }

  /** Adds up to 10,000 people to a list without consent, creating missing profiles. */
  async importProfiles(request: ImportRequest, options?: CallOptions): Promise<AcceptedJob> {
    return this.#writes.acceptJob('bulk_import_profiles', importBody(request), options);
  }

  /**
   * The rows of an import that were refused after it was accepted, by pointer into its request (see
   * `splitRefusal`). Not readable if Klaviyo no longer knows the job.
   */
  listImportErrors(
    jobId: string,
    options?: CallOptions,
  ): Promise<resources.OptionalReading<readonly JsonApiError[]>> {
    const call = callOf('get_errors_for_bulk_import_profiles_job', jobId, {
      'page[size]': String(PAGE_OF_IMPORT_ERRORS),
    });
    return readOptional(() => this.#pages.all(importErrorSchema, call, options));
  }

  /**
   * Profiles with one of up to 100 e-mails or phone numbers, with their consent; a person missing
   * from the result has no profile. Values too long for one URL take several calls.
   */
  async lookUpProfiles(
    query: { readonly by: LookUpField; readonly values: readonly string[] },
    options?: CallOptions,
  ): Promise<ProfileConsent[]> {
    return this.#profiles.lookUp(query, null, options);
  }

  /**
   * One page (100) of a list's members with their consent, oldest membership first. `joinedSince`
   * is an RFC 3339 datetime with an offset, inclusive; Klaviyo refuses one in the future of its own
   * clock, so leave a margin of a minute or more. Pass `next` as `cursor` with the same `listId`
   * and `joinedSince`; it is null on the last page. A member can be read twice.
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

  /**
   * One page of who is on a list and since when, without their consent. Pass `next` as `cursor`, all
   * else unchanged. A member can be read twice.
   */
  async readMemberships(query: MembershipsQuery, options?: CallOptions): Promise<MembershipsPage> {
    const call = membershipsCall(query);
    return orListNotFound(query.listId, async () => {
      const page = await this.#pages.one(membershipSchema, call, options);
      return { members: page.items, next: page.next && cursorOf(call, page.next) };
    });
  }

  /** Ids of all lists that a profile is on; null if there is no such profile. */
  async listsOfProfile(
    profileId: string,
    options?: CallOptions,
  ): Promise<ReadonlySet<string> | null> {
    const call = callOf('get_lists_for_profile', profileId, { 'fields[list]': 'name' });
    return orNoProfile(async () => {
      const lists = await this.#pages.all(z.object({ id: z.string() }), call, options);
      return new Set(lists.map(({ id }) => id));
    });
  }

  /** Which of up to 100 people are on a list, with their consent; a missing person is not a member. */
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
   * One page (100) of the profiles that changed after `since` (RFC 3339 with an offset), or of all if
   * it is null, with their consent; the oldest change first. An opt-out through the API or a
   * suppression need not count as a change. A profile that changes meanwhile is read again. Pass
   * `next` as `cursor`, all else unchanged.
   */
  async listChanged(
    query: { readonly since: string | null; readonly cursor?: string | null },
    options?: CallOptions,
  ): Promise<ProfilePage> {
    return this.#profiles.page(changedCall(query), options);
  }

  /**
   * One page (100) of the people who got an e-mail suppression after `since` (RFC 3339 with an
   * offset, not in the future of Klaviyo's clock), for this reason or any, with their consent; in
   * no order. Klaviyo takes only one date, so suppressions after `until` are filtered out here, and
   * pages can be short. Pass `next` as `cursor`, all else unchanged. A profile can be read twice.
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

  /**
   * One page of profiles with all that Klaviyo says of their consent. Pass `next` as `cursor`, all
   * else unchanged.
   */
  async readProfiles(query: ProfilesQuery, options?: CallOptions): Promise<ReadingsPage> {
    const call = readingsCall(query);
    const page = await this.#pages.one(profileReadingSchema, call, options);
    return { profiles: page.items, next: page.next && cursorOf(call, page.next) };
  }

  /** Every metric of the account; one that never fired may be missing. */
  listMetrics(options?: CallOptions): Promise<Metric[]> {
    const call = callOf('get_metrics', null, { 'fields[metric]': 'name' });
    return this.#pages.all(metricSchema, call, options);
  }

  /**
   * One page (1,000) of a metric's events since `since`, oldest first; ten times as many per call
   * as profiles, with far higher limits. Pass `next` as `cursor`, all else unchanged.
   */
  async listEvents(
    query: {
      readonly metricId: string;
      readonly since: string;
      /** Only events of this profile. */
      readonly profileId?: string;
      readonly cursor?: string | null;
      /** Reads the events' properties as well, which may be long. */
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
