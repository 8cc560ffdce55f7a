import type { SegmentRule } from '../../settings/options.js';
import type { ProfileStore } from '../../store/profiles.js';

const VALUES: readonly string[] = ['string', 'boolean'];
const CONSENT_KEYS: readonly unknown[] = ['email.marketing', 'sms.marketing'];
const CONSENTS: readonly unknown[] = ['SUBSCRIBED', 'UNSUBSCRIBED', 'NEVER_SUBSCRIBED'];

/** @throws RangeError for a rule in another form */
export function checkRule(rule: SegmentRule): void {
  const given: Record<string, unknown> = Object.assign({}, rule);
  const { property, equals, consent, is } = given;
  const isProperty = typeof property === 'string' && VALUES.includes(typeof equals);
  const isConsent = CONSENT_KEYS.includes(consent) && CONSENTS.includes(is);
  if (Object.keys(given).length === 2 && (isProperty || isConsent)) return;
  throw new RangeError(
    `where must be { property, equals } or { consent: ${CONSENT_KEYS.join(' | ')}, ` +
      `is: ${CONSENTS.join(' | ')} }; got ${JSON.stringify(rule)}`,
  );
}

/** Whether the profile follows the rule now. */
export function follows(rule: SegmentRule, profiles: ProfileStore, index: number): boolean {
  if ('consent' in rule) {
    const consent = profiles.channel(rule.consent).get(index)?.consent ?? 'NEVER_SUBSCRIBED';
    return consent === rule.is;
  }
  const properties = profiles.details.get(index)?.['properties'];
  return (
    typeof properties === 'object' &&
    properties !== null &&
    (properties as Record<string, unknown>)[rule.property] === rule.equals
  );
}

/** The rule as a `SegmentDefinition`: all groups must match, each by at least one condition. */
export function definitionOf(rule: SegmentRule | null, segmentId: string): object {
  return { condition_groups: [{ conditions: conditionsOf(rule, segmentId) }] };
}

function conditionsOf(rule: SegmentRule | null, segmentId: string): object[] {
  // Members chosen by hand have no rule in Klaviyo's language; a marker stands for it.
  if (rule === null) return [propertyCondition(`member_of_${segmentId}`, true)];
  if ('property' in rule) return [propertyCondition(rule.property, rule.equals)];
  return statusesOf(rule.consent, rule.is).map(([canReceive, status]) => ({
    type: 'profile-marketing-consent',
    consent: {
      channel: rule.consent === 'email.marketing' ? 'email' : 'sms',
      can_receive_marketing: canReceive,
      consent_status: status,
    },
  }));
}

/** Names are quoted strings: a quote inside a property's name is escaped. */
function propertyCondition(property: string, value: string | boolean): object {
  return {
    type: 'profile-property',
    property: `properties['${property.replaceAll("'", "\\'")}']`,
    filter: { type: typeof value, operator: 'equals', value },
  };
}

/** With and without a suppression, if the language distinguishes them. */
function statusesOf(consent: string, is: string): [canReceive: boolean, status: object][] {
  const subscription = is.toLowerCase();
  if (consent === 'sms.marketing') return [[is === 'SUBSCRIBED', { subscription }]];
  if (is === 'UNSUBSCRIBED') return [[false, { subscription, filters: null }]];
  return [
    [true, { subscription, filters: null }],
    [false, { subscription, filters: [] }],
  ];
}
