import { KlaviyoSettingsError } from './errors.js';
import type { RateLimiter } from './limiter.js';
import type { CallRecord } from './transport/exchange.js';
import { DEFAULT_PATIENCE, type Patience } from './transport/patience.js';
import type { TransportSettings } from './transport/transport.js';

export interface KlaviyoClientOptions {
  /** Private key (`pk_...`). It is sent only to `baseUrl`, and never shown. */
  readonly apiKey: string;
  /** Origin of the API: `https://a.klaviyo.com`, or a sandbox's address. */
  readonly baseUrl: string;
  readonly limiter: RateLimiter;
  /** Called after every HTTP call; must not throw. */
  readonly onCall?: (call: CallRecord) => void;
  /**
   * Time-out of one call, from connecting to reading the answer, in milliseconds; the first tries
   * of a read get less. Default 30,000.
   */
  readonly timeoutMs?: number;
  /** How reads are retried, and how endpoints that keep failing are paused. */
  readonly patience?: Partial<Patience>;
  /** Version in the `User-Agent`: `consentry/<version>`. Default: `consentry` alone. */
  readonly version?: string;
  /** Default `2026-10-15`. */
  readonly revision?: string;
}

/** The options with every default filled in. @throws KlaviyoSettingsError */
export function transportSettings(options: KlaviyoClientOptions): TransportSettings {
  return {
    apiKey: readableKey(options.apiKey),
    baseUrl: readableBaseUrl(options.baseUrl),
    limiter: options.limiter,
    onCall: options.onCall,
    timeoutMs: options.timeoutMs ?? 30_000,
    patience: { ...DEFAULT_PATIENCE, ...options.patience },
    revision: options.revision ?? '2026-10-15',
    userAgent: options.version === undefined ? 'consentry' : `consentry/${options.version}`,
  };
}

/** The API's origin; throws if a key should not or cannot be sent there. */
function readableBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KlaviyoSettingsError(
      `The Klaviyo base URL is not an http(s) URL. Klaviyo's own is https://a.klaviyo.com.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '') {
    throw new KlaviyoSettingsError(
      `The Klaviyo base URL must be scheme and host alone, such as https://a.klaviyo.com: ` +
        `no path, no query, no user name.`,
    );
  }
  if (url.protocol === 'http:' && /(^|\.)klaviyo\.com$/.test(url.hostname)) {
    throw new KlaviyoSettingsError(
      `The Klaviyo base URL is http; the key would be readable on the way. Use https.`,
    );
  }
  return url;
}

/** The key; throws if it cannot be one, without showing it. */
function readableKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new KlaviyoSettingsError(
    key === ''
      ? 'KLAVIYO_API_KEY is empty: give a private key (Klaviyo: Settings > API keys).'
      : 'KLAVIYO_API_KEY has a space, line break or other character that no key has: copy it again.',
  );
}
