import { KlaviyoSettingsError } from './errors.js';

/** The API's origin; throws where a key should not be sent, or could not be. */
export function readableBaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KlaviyoSettingsError(
      `The Klaviyo base URL is not an http(s) URL. Klaviyo's own is https://a.klaviyo.com.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '') {
    throw new KlaviyoSettingsError(
      `The Klaviyo base URL must be scheme and host alone, as https://a.klaviyo.com: ` +
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

/** The key; throws where it cannot be one, without showing it. */
export function readableKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new KlaviyoSettingsError(
    key === ''
      ? 'KLAVIYO_API_KEY is empty: give a private key (Klaviyo: Settings > API keys).'
      : 'KLAVIYO_API_KEY holds a space, line break or other character that no key has: copy it again.',
  );
}
