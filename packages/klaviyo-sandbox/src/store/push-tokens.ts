import { longId } from './long-id.js';

export const PLATFORMS = ['android', 'ios'] as const;
export const VENDORS = ['apns', 'fcm'] as const;
export const ENABLEMENTS = [
  'AUTHORIZED',
  'DENIED',
  'NOT_DETERMINED',
  'PROVISIONAL',
  'UNAUTHORIZED',
] as const;
export const BACKGROUNDS = ['AVAILABLE', 'DENIED', 'RESTRICTED'] as const;

/** An app on a device. */
export interface PushToken {
  readonly token: string;
  /** One of `PLATFORMS`. */
  readonly platform: string;
  /** One of `VENDORS`. */
  readonly vendor: string;
  /** One of `ENABLEMENTS`. */
  readonly enablement: string;
  /** One of `BACKGROUNDS`. */
  readonly background: string;
  /** Metadata of the device, as sent; null if none was sent. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Epoch ms. */
  readonly created: number;
  /** Epoch ms: when it was last sent. */
  readonly recorded: number;
}

/** Push tokens, each belonging to one profile. */
export class PushTokenStore {
  readonly #tokens = new Map<string, { owner: number; token: PushToken }>();
  readonly #ofProfile = new Map<number, Set<string>>();

  constructor(private readonly seed: number) {}

  /** Id of the resource. */
  id({ token }: PushToken): string {
    return longId(this.seed, 'push token', token);
  }

  owner(token: string): number | undefined {
    return this.#tokens.get(token)?.owner;
  }

  /** In order of registration. */
  of(index: number): PushToken[] {
    const tokens = this.#ofProfile.get(index) ?? [];
    return [...tokens].map((token) => this.#tokens.get(token)!.token);
  }

  /** An existing token keeps its creation date; a token of another profile moves to this one. */
  set(index: number, token: PushToken): void {
    const before = this.#tokens.get(token.token);
    if (before !== undefined && before.owner !== index) this.remove(token.token);
    const created = before?.token.created ?? token.created;
    this.#tokens.set(token.token, { owner: index, token: { ...token, created } });
    this.#ofProfile.set(index, (this.#ofProfile.get(index) ?? new Set()).add(token.token));
  }

  remove(token: string): boolean {
    const owner = this.#tokens.get(token)?.owner;
    if (owner === undefined) return false;
    this.#tokens.delete(token);
    const left = this.#ofProfile.get(owner)!;
    left.delete(token);
    if (left.size === 0) this.#ofProfile.delete(owner);
    return true;
  }

  clear(index: number): void {
    for (const { token } of this.of(index)) this.remove(token);
  }
}
