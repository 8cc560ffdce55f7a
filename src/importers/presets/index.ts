import { fits, type Header } from '../../connectors/header.js';
import type { PresetName } from './names.js';
import type { Preset } from './preset.js';
import { SourceError } from '../../connectors/source-error.js';
import { generic, isNearlyGeneric } from './generic.js';
import { klaviyoExport, klaviyoImport } from './klaviyo.js';
import { mailchimpCleaned } from './mailchimp-cleaned.js';
import { mailchimpSubscribed } from './mailchimp-subscribed.js';
import { mailchimpUnsubscribed } from './mailchimp-unsubscribed.js';
import { omnisend } from './omnisend.js';
import { shopifyCustomers } from './shopify-customers.js';

export const PRESETS: readonly Preset[] = [
  mailchimpSubscribed,
  mailchimpUnsubscribed,
  mailchimpCleaned,
  shopifyCustomers,
  klaviyoExport,
  klaviyoImport,
  omnisend,
  generic,
];

/** The layout of a source, by its header or by the operator's word. Throws `SourceError`. */
export function recognise(header: Header, named: PresetName | null): Preset {
  const fitting = PRESETS.filter(({ fingerprint }) => fits(header, fingerprint));
  if (named !== null) {
    const preset = fitting.find(({ name }) => name === named);
    if (preset !== undefined) return preset;
    if (named !== 'generic' || !isNearlyGeneric(header)) throw unknown(header, named);
    return generic;
  }
  const [preset, ...others] = fitting;
  if (preset === undefined) {
    if (isNearlyGeneric(header)) return generic;
    throw unknown(header, null);
  }
  if (others.length === 0) return preset;
  throw new SourceError(
    'layout_ambiguous',
    { file: header.file, line: header.line },
    `The columns fit more than one layout: ${fitting.map(({ name, label }) => `${name} (${label})`).join(' and ')}.`,
    `Say which one it is with --preset, e.g. --preset ${preset.name}, or remove the columns of the other.`,
  );
}

function unknown(header: Header, named: PresetName | null): SourceError {
  const preset = PRESETS.find(({ name }) => name === named);
  const known =
    preset === undefined
      ? `Known are ${PRESETS.map(({ name }) => name).join(', ')}.`
      : `It is known by its columns: ${describe(preset)}.`;
  return new SourceError(
    'layout_unknown',
    { file: header.file, line: header.line },
    `The columns fit ${named === null ? 'no layout that is known' : `not the layout ${named}`}. ` +
      `The source has: ${header.list()}.`,
    `${known} Rename the columns as docs/sources.md has them, say with --map what they mean, or check that the first line is the header.`,
  );
}

function describe({ fingerprint }: Preset): string {
  const { allOf = [], oneOf = [], andOneOf = [], noneOf = [] } = fingerprint;
  const parts = [
    ...allOf,
    ...[oneOf, andOneOf].flatMap((names) => (names.length > 0 ? [names.join(' or ')] : [])),
    ...(noneOf.length > 0 ? [`no ${noneOf.join(' or ')}`] : []),
  ];
  return parts.join(', ');
}
