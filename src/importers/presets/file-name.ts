import type { Header } from '../../connectors/header.js';
import { SourceError } from '../../connectors/source-error.js';
import { statusInName } from '../values/status-in-name.js';

/**
 * For sources that subscribe whoever is in them: what the name of a file says may be all that tells people who
 * left from subscribed ones. Throws `SourceError`.
 */
export function refuseOtherName(header: Header): void {
  const word = statusInName(header.file);
  if (word === null) return;
  throw new SourceError(
    'status_not_told',
    { file: header.file },
    `The name of the file says "${word}", but its columns do not: by them, people would be subscribed.`,
    'If they left, add --operation unsubscribe; if their addresses bounced, --operation suppress. If they are subscribed, rename the file.',
  );
}
