/** The names of the presets, in a file of their own so that they can be imported without the presets. */
export const PRESET_NAMES = [
  'mailchimp-subscribed',
  'mailchimp-unsubscribed',
  'mailchimp-cleaned',
  'mailchimp-all',
  'shopify-customers',
  'matrixify-customers',
  'klaviyo-export',
  'klaviyo-import',
  'omnisend',
  'postscript-active',
  'postscript-unsubscribed',
  'attentive',
  'attentive-events',
  'constant-contact',
  'wix-contacts',
  'brevo',
  'hubspot',
  'drip',
  'activecampaign',
  'substack',
  'kit',
  'generic',
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** How a source was read: by a preset, or by the operator's mapping. */
export type LayoutName = PresetName | 'mapping';
