import { basename } from 'node:path';
import { WITHIN } from '../../connectors/header.js';

/** Words of people who are not, or no longer, subscribed. */
const NOT_SUBSCRIBED =
  /\b(?:un ?subs?(?:cribe\w*)?|(?:non|not|never) ?subscri\w*|opt(?:ed)? ?outs?|left|cleaned|bounced?s?|suppress\w*|undeliverable|complain\w*|block(?:ed|list\w*)|blacklist\w*|pending|unconfirmed|inactive|cancell?ed|archived|removed|deleted)\b/;

/**
 * The word in a file's name that says that its people are not subscribed, such as `cleaned` in
 * `cleaned_members_export_1a2b.csv`; null if there is none. Of a file in an archive, the archive's name and
 * its folders count as well.
 */
export function statusInName(path: string): string | null {
  const [file = '', ...within] = path.split(WITHIN);
  const words = [basename(file), ...within]
    .join(' ')
    .toLowerCase()
    .replace(/[^a-z]+/g, ' ');
  return NOT_SUBSCRIBED.exec(words)?.[0] ?? null;
}
