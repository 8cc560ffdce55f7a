import { endpointOf, KlaviyoScopeMissingError, type EndpointName } from '../../../klaviyo/index.js';

/** What the key may call, learned from reads that change nothing. */
export class Access {
  readonly #asked = new Map<EndpointName, KlaviyoScopeMissingError | null>();

  /** Makes the read and records whether the key may. @returns null if it may not */
  async ask<T>(endpoint: EndpointName, read: () => Promise<T>): Promise<T | null> {
    try {
      const value = await read();
      this.#asked.set(endpoint, null);
      return value;
    } catch (error) {
      if (!(error instanceof KlaviyoScopeMissingError)) throw error;
      this.#asked.set(endpoint, error);
      return null;
    }
  }

  /** Null if not tested: a write cannot be tested without writing. */
  allows(endpoint: EndpointName): boolean | null {
    const refusal = this.#asked.get(endpoint);
    return refusal === undefined ? null : refusal === null;
  }

  /** Why a run that needs these endpoints cannot start, with all the scopes that it needs. */
  refusalOf(needed: readonly EndpointName[]): string | null {
    const refused = needed.filter((endpoint) => this.allows(endpoint) === false);
    const [first] = refused;
    if (first === undefined) return null;
    const { message = '' } = this.#asked.get(first) ?? {};
    if (refused.length === 1) return `${message} ${allScopes(needed)}`;
    const each = refused.map((name) => `${name} (${endpointOf(name).scopes.join(', ')})`);
    return (
      `KLAVIYO_API_KEY may not use ${each.join(', ')} (403). Create a private key that has the ` +
      `scopes (those of an existing key cannot be changed). ${allScopes(needed)}`
    );
  }
}

function allScopes(needed: readonly EndpointName[]): string {
  const scopes = [...new Set(needed.flatMap((name) => endpointOf(name).scopes))].sort();
  return `In total, this run needs ${scopes.join(', ')}.`;
}
