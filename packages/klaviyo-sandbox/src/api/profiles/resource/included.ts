import type { SandboxAccount } from '../../../account/account.js';
import { isoDate } from '../../../time/dates.js';
import { longId } from '../../../store/long-id.js';
import type { PushToken } from '../../../store/push-tokens.js';
import { relationTo } from '../../links.js';
import { listWriter } from '../../lists/list-resource.js';
import { segmentWriter } from '../../segments/segment-resource.js';
import type { Query } from '../../query/query.js';

interface Resource {
  type: string;
  id: string;
}

/** Members of `metadata`, in the order of the specification. */
export const DEVICE_FIELDS = [
  'device_id',
  'klaviyo_sdk',
  'sdk_version',
  'device_model',
  'os_name',
  'os_version',
  'manufacturer',
  'app_name',
  'app_version',
  'app_build',
  'app_id',
  'environment',
] as const;

const RELATIONSHIPS = ['lists', 'segments', 'push-tokens', 'conversations'] as const;
type Relationship = (typeof RELATIONSHIPS)[number];

/** The resources that profiles add with `include`, collected while the profiles are written. */
export class Inclusions {
  readonly #resources: object[] = [];

  constructor(
    private readonly account: SandboxAccount,
    private readonly query: Query,
    private readonly origin: string,
  ) {}

  /** `included` of the answer; absent if nothing was requested. */
  get included(): { included?: object[] } {
    const asked = RELATIONSHIPS.some((name) => this.query.includes(name));
    return asked ? { included: this.#resources } : {};
  }

  /** Relationships of a profile: with `data` if the other side is included (recorded). */
  relationships(index: number, self: string): object {
    return Object.fromEntries(
      RELATIONSHIPS.map((name) => {
        const links = relationTo(self, name);
        if (!this.query.includes(name)) return [name, links];
        const resources = this.#related(name, index, self);
        this.#resources.push(...resources);
        const data = resources.map(({ type, id }) => ({ type, id }));
        return [name, { data, ...links }];
      }),
    );
  }

  #related(name: Relationship, index: number, profile: string): Resource[] {
    const { lists, segments, profiles } = this.account;
    const isIn = (group: { has(index: number): boolean }) => group.has(index);
    if (name === 'lists') return lists.all().filter(isIn).map(listWriter(this.query, this.origin));
    if (name === 'segments') {
      const write = segmentWriter(this.query, this.origin);
      return segments.all().filter(isIn).map(write) as Resource[];
    }
    if (name === 'conversations') return this.#conversations(index, profile);
    return profiles.pushTokens.of(index).map((token) => this.#token(token, index, profile));
  }

  /** Everybody with a number has one conversation, by text message. */
  #conversations(index: number, profile: string): Resource[] {
    const { profiles, settings } = this.account;
    if (profiles.phone(index) === null) return [];
    const id = longId(settings.seed, 'conversation', String(index));
    const attributes = this.query.pick('conversation', { channel: 'sms' });
    return [this.#resource('conversation', id, attributes, index, profile)];
  }

  #token(token: PushToken, index: number, profile: string): Resource {
    const { platform, vendor, enablement, background, metadata, created, recorded } = token;
    const attributes = this.query.pick('push-token', {
      created: isoDate(created),
      token: token.token,
      enablement_status: enablement,
      platform,
      vendor: vendor === 'apns' ? 'APNs' : 'FCM',
      background,
      recorded_date: isoDate(recorded),
      metadata:
        metadata &&
        Object.fromEntries(DEVICE_FIELDS.map((field) => [field, metadata[field] ?? null])),
    });
    const id = this.account.profiles.pushTokens.id(token);
    return this.#resource('push-token', id, attributes, index, profile);
  }

  #resource(type: string, id: string, attributes: object, index: number, profile: string) {
    const self = `${this.origin}/api/${type}s/${id}/`;
    const data = { type: 'profile', id: this.account.profiles.id(index) };
    return {
      type,
      id,
      attributes,
      relationships: {
        profile: { data, links: { self: `${self}relationships/profile/`, related: profile } },
      },
      links: { self },
    };
  }
}
