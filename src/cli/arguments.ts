import { InvalidArgumentError } from 'commander';
import { CONSENT_CHANNELS, type ConsentChannel } from '../contracts/channels.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `90s`, `15m`, `1h` in milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim()) ?? [];
  const ms = Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('Give a number and a unit: 90s, 15m or 1h.');
  return ms;
}

export function parseChannels(text: string): ConsentChannel[] {
  const named = parseList(text);
  const channels = CONSENT_CHANNELS.filter((channel) => named.includes(channel));
  if (channels.length === 0 || channels.length !== new Set(named).size) {
    throw new InvalidArgumentError(`Known are ${CONSENT_CHANNELS.join(', ')}: give email,sms.`);
  }
  return channels;
}

/** `US,CA`: ISO 3166-1 alpha-2. */
export function parseCountries(text: string): string[] {
  const countries = parseList(text).map((country) => country.toUpperCase());
  if (countries.length === 0 || !countries.every((country) => /^[A-Z]{2}$/.test(country))) {
    throw new InvalidArgumentError('Give two-letter country codes of ISO 3166-1: US,CA.');
  }
  return countries;
}

export function parseCountry(text: string): string {
  const country = text.trim().toUpperCase();
  if (/^[A-Z]{2}$/.test(country)) return country;
  throw new InvalidArgumentError('Give one two-letter country code of ISO 3166-1: US.');
}

/** A whole number from `least`. */
export function wholeNumber(
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const bounds = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Give a whole number ${bounds}.`);
  };
}

/** A share above 0 to 1. */
export function parseLimitShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Give a number above 0 and at most 1.');
}

export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
