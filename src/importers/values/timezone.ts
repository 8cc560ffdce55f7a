import { IANAZone } from 'luxon';

/** Why a name is no time zone, as a sentence; null where it is one. */
export function checkTimezone(name: string): string | null {
  if (IANAZone.isValidZone(name)) return null;
  return `There is no time zone "${name}": give an IANA name such as Europe/Berlin, America/New_York or UTC.`;
}
