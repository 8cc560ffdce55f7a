/** The layouts that are known. Apart from them, so that who only names one does not load them. */
export const PRESET_NAMES = [
  'mailchimp-subscribed',
  'mailchimp-unsubscribed',
  'mailchimp-cleaned',
  'shopify-customers',
  'klaviyo-export',
  'klaviyo-import',
  'omnisend',
  'generic',
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** How a source was read: by a preset, or by the operator's mapping. */
export type LayoutName = PresetName | 'mapping';
