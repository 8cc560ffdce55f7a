import { fits, type Header } from '../../connectors/header.js';
import type { PresetName } from './names.js';
import type { Preset } from './preset.js';
import { SourceError } from '../../connectors/source-error.js';
import { activeCampaign } from './activecampaign.js';
import { attentive, attentiveEvents } from './attentive.js';
import { brevo } from './brevo.js';
import { constantContact } from './constant-contact.js';
import { drip } from './drip.js';
import { generic, isNearlyGeneric } from './generic.js';
import { hubspot } from './hubspot.js';
import { kit } from './kit.js';
import { klaviyoExport, klaviyoImport } from './klaviyo.js';
import {
  mailchimpAll,
  mailchimpCleaned,
  mailchimpSubscribed,
  mailchimpUnsubscribed,
} from './mailchimp.js';
import { matrixifyCustomers } from './matrixify.js';
import { omnisend } from './omnisend.js';
import { postscriptActive, postscriptUnsubscribed } from './postscript.js';
import { shopifyCustomers } from './shopify-customers.js';
import { substack } from './substack.js';
import { wixContacts } from './wix.js';

export const PRESETS: readonly Preset[] = [
  mailchimpSubscribed,
  mailchimpUnsubscribed,
  mailchimpCleaned,
  mailchimpAll,
  shopifyCustomers,
  matrixifyCustomers,
  klaviyoExport,
  klaviyoImport,
  omnisend,
  postscriptActive,
  postscriptUnsubscribed,
  attentive,
  attentiveEvents,
  constantContact,
  wixContacts,
  brevo,
  hubspot,
  drip,
  activeCampaign,
  substack,
  kit,
  generic,
];

/** The preset of a source, by its header or as the operator says. Throws `SourceError`. */
export function recognise(header: Header, named: PresetName | null): Preset {
  if (named !== null) {
    const preset = PRESETS.find(({ name }) => name === named);
    if (preset !== undefined && hasColumns(header, preset)) return preset;
    if (named !== 'generic' || !isNearlyGeneric(header)) throw unknown(header, named);
    return generic;
  }
  const fitting = fittingPresets(header);
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

/** The presets that a source with this header may be meant for. */
export function fittingPresets(header: Header): readonly Preset[] {
  return PRESETS.filter((preset) => {
    const { isOwn = () => true } = preset;
    return hasColumns(header, preset) && isOwn(header);
  });
}

function hasColumns(header: Header, { fingerprint }: Preset): boolean {
  return [fingerprint].flat().every((each) => fits(header, each));
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
  const parts = [fingerprint].flat().flatMap((each) => {
    const { allOf = [], oneOf = [], andOneOf = [], noneOf = [] } = each;
    return [
      ...allOf,
      ...[oneOf, andOneOf].flatMap((names) => (names.length > 0 ? [names.join(' or ')] : [])),
      ...(noneOf.length > 0 ? [`no ${noneOf.join(' or ')}`] : []),
    ];
  });
  return parts.join(', ');
}
