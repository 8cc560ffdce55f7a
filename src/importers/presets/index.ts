import { fits, type Fingerprint, type Header } from '../header.js';
import type { PresetName } from '../options.js';
import type { Preset } from '../preset.js';
import { SourceError } from '../source-error.js';
import { generic } from './generic.js';
import { mailchimpSubscribed } from './mailchimp-subscribed.js';
import { mailchimpUnsubscribed } from './mailchimp-unsubscribed.js';

/** In the order in which they are tried: the more particular before the more general. */
export const PRESETS: readonly Preset[] = [mailchimpUnsubscribed, mailchimpSubscribed, generic];

/** Layouts that are recognised in order to be refused. */
const REFUSED: readonly { fingerprint: Fingerprint; problem: string; remedy: string }[] = [
  {
    fingerprint: { allOf: ['Email Address', 'CLEAN_TIME'] },
    problem: "This is Mailchimp's export of cleaned contacts: addresses that bounced.",
    remedy: 'Import the exports of subscribed and of unsubscribed contacts instead.',
  },
];

/** The layout of a file, by its header or by the operator's word. Throws `SourceError`. */
export function recognise(header: Header, named: PresetName | null): Preset {
  const place = { file: header.file, line: header.line };
  const refused = REFUSED.find(({ fingerprint }) => fits(header, fingerprint));
  if (refused !== undefined) {
    throw new SourceError('layout_refused', place, refused.problem, refused.remedy);
  }
  const preset = PRESETS.find(
    ({ name, fingerprint }) => (named === null || name === named) && fits(header, fingerprint),
  );
  if (preset !== undefined) return preset;
  const known = PRESETS.filter(({ name }) => named === null || name === named);
  throw new SourceError(
    'layout_unknown',
    place,
    `The columns fit ${named === null ? 'no layout that is known' : `not the layout ${named}`}. ` +
      `The file has: ${header.list()}.`,
    `Known by their columns: ${known.map(describe).join('; ')}. Rename the columns, or check that the first line is the header.`,
  );
}

function describe({ name, fingerprint }: Preset): string {
  const { allOf = [], oneOf = [], noneOf = [] } = fingerprint;
  const parts = [
    ...allOf,
    ...(oneOf.length > 0 ? [oneOf.join(' or ')] : []),
    ...(noneOf.length > 0 ? [`no ${noneOf.join(' or ')}`] : []),
  ];
  return `${name} (${parts.join(', ')})`;
}
