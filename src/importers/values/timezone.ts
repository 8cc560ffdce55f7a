import { IANAZone } from 'luxon';

/** Why a name is not a time zone, as a sentence; null if it is one. */
export function checkTimezone(name: string): string | null {
  if (IANAZone.isValidZone(name)) return null;
  return `There is no time zone "${name}": give an IANA name such as Europe/Berlin, America/New_York or UTC.`;
}
