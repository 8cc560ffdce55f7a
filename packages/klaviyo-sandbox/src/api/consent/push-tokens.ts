import { BACKGROUNDS, ENABLEMENTS, PLATFORMS, VENDORS } from '../../store/push-tokens.js';
import type { NewPushToken } from '../../account/consent/subscribe-row.js';
import { isObject } from '../http/body.js';
import { invalid, missing, type ErrorEntry } from '../http/errors.js';

const REQUIRED = ['token', 'platform', 'vendor'] as const;
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  platform: PLATFORMS,
  vendor: VENDORS,
  enablement_status: ENABLEMENTS,
  background: BACKGROUNDS,
};
const USUAL: Readonly<Record<string, string>> = {
  enablement_status: 'AUTHORIZED',
  background: 'AVAILABLE',
};
type Chosen = Record<'platform' | 'vendor' | 'enablement_status' | 'background', string>;

/** Reads `tokens` of the push channel; none if absent. The wording is ours: none is recorded. */
export function pushTokens(value: unknown, at: string): NewPushToken[] | ErrorEntry {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return invalid(at, 'Not a valid list.');
  const tokens: NewPushToken[] = [];
  for (const [i, entry] of value.entries()) {
    const read = pushToken(entry, `${at}/${i}`);
    if ('code' in read) return read;
    tokens.push(read);
  }
  return tokens;
}

/** Reads one token, with or without a known permission. */
export function pushToken(value: unknown, at: string): NewPushToken | ErrorEntry {
  if (!isObject(value)) return invalid(at, 'Not a valid object.');
  const absent = REQUIRED.find((field) => typeof value[field] !== 'string' || value[field] === '');
  if (absent !== undefined) return missing(`${at}/${absent}`, absent, 'push-token');
  const metadata = value['device_metadata'] ?? null;
  if (metadata !== null && !isObject(metadata)) {
    return invalid(`${at}/device_metadata`, 'Not a valid object.');
  }
  const chosen: Record<string, string> = {};
  for (const [field, choices] of Object.entries(CHOICES)) {
    const given = value[field] ?? USUAL[field];
    const choice = choices.find((one) => one === given);
    if (choice === undefined) {
      return invalid(`${at}/${field}`, `${JSON.stringify(given)} is not a valid choice.`);
    }
    chosen[field] = choice;
  }
  const { platform, vendor, enablement_status: enablement, background } = chosen as Chosen;
  return { token: value['token'] as string, platform, vendor, enablement, background, metadata };
}
