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

/** The preset of a source, by its header or as the operator says. Throws `SourceError`. */
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
    `The columns match more than one preset: ${fitting.map(({ name, label }) => `${name} (${label})`).join(' and ')}.`,
    `Choose one with --preset, e.g. --preset ${preset.name}, or remove the columns of the other.`,
  );
}

function unknown(header: Header, named: PresetName | null): SourceError {
  const preset = PRESETS.find(({ name }) => name === named);
  const known =
    preset === undefined
      ? `The presets are ${PRESETS.map(({ name }) => name).join(', ')}.`
      : `That preset needs these columns: ${describe(preset)}.`;
  return new SourceError(
    'layout_unknown',
    { file: header.file, line: header.line },
    `The columns ${named === null ? 'match no preset' : `do not match the preset ${named}`}. ` +
      `The source has: ${header.list()}.`,
    `${known} Rename the columns as in docs/sources.md, describe them with --map, or check that the first line is the header.`,
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
