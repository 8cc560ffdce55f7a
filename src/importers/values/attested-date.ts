import { ConsentDates } from './consent-date.js';
import type { ImportOptions } from '../options.js';
import { SourceError } from '../../connectors/source-error.js';

/** `consentedAt` of the options as RFC 3339 in UTC; null if none is given. Throws `SourceError`. */
export function attestedDate(file: string, options: ImportOptions): string | null {
  const date = options.consentedAt ?? null;
  if (date === null) return null;
  const reading = new ConsentDates(options.timezone, options.now).read(date);
  switch (reading.kind) {
    case 'valid':
      return reading.at;
    case 'zone_needed':
      throw new SourceError(
        'timezone_needed',
        { file },
        `The attested consent date "${date}" has no time zone.`,
        'Give its time zone with --timezone, e.g. --timezone UTC, or write 2024-05-01T12:00:00Z.',
      );
    case 'future':
      throw new SourceError(
        'consented_at_invalid',
        { file },
        `The attested consent date "${date}" is in the future.`,
        'Give --consented-at a day on which consent had already been given.',
      );
    case 'missing':
    case 'invalid':
      throw new SourceError(
        'consented_at_invalid',
        { file },
        `The attested consent date "${date}" is not a date.`,
        'Write --consented-at as 2024-05-01, or with time and zone: 2024-05-01T12:00:00Z.',
      );
  }
}
