import { isoDate, isoDateOrNull } from '../../time/dates.js';
import type { ConsentKey, ConsentRecord } from '../../store/channel.js';
import type { ProfileStore } from '../../store/profiles.js';

interface TextConsent {
  consent: string;
  consent_timestamp: string | null;
  method: string | null;
  method_detail: string | null;
  last_updated: string | null;
}
interface Permission {
  consent: string;
  consent_timestamp: string | null;
  last_updated: string | null;
  created_timestamp: string | null;
  metadata: null;
  can_receive: boolean;
  valid_until: null;
}
type WhatsAppPermission = (Permission & { phone_number: string | null }) | null;

/** Klaviyo's `Subscriptions`. Dates as `isoDate` writes them. */
export interface SubscriptionsView {
  email: {
    marketing: {
      can_receive_email_marketing: boolean;
      consent: string;
      consent_timestamp: string | null;
      last_updated: string | null;
      method: string | null;
      method_detail: string | null;
      custom_method_detail: string | null;
      double_optin: boolean | null;
      suppression: { reason: string; timestamp: string }[];
      list_suppressions: { list_id: string; reason: string; timestamp: string }[];
    };
    open_tracking: Permission;
    /** Revision 2026-07-15 returned it without specifying it, and had no call to set it. */
    click_tracking: Permission;
  };
  sms: {
    marketing: TextConsent & { can_receive_sms_marketing: boolean };
    transactional: TextConsent & { can_receive_sms_transactional: boolean };
  };
  mobile_push: {
    marketing: {
      can_receive_push_marketing: boolean;
      consent: string;
      consent_timestamp: string | null;
    };
  };
  whatsapp: {
    marketing: WhatsAppPermission;
    transactional: WhatsAppPermission;
    conversational: WhatsAppPermission;
  } | null;
}

/** `subscriptions` of a profile, in the shape in which Klaviyo returns it. */
export function subscriptionsOf(profiles: ProfileStore, index: number): SubscriptionsView {
  const record = (key: ConsentKey) => profiles.channel(key).get(index);
  const suppression = profiles.suppressions.get(index) ?? [];
  const email = record('email.marketing');
  const sms = record('sms.marketing');
  const transactional = record('sms.transactional');
  const push = record('mobile_push.marketing');
  return {
    email: {
      marketing: {
        can_receive_email_marketing: profiles.email(index) !== null && suppression.length === 0,
        consent: consentOf(email),
        consent_timestamp: isoDateOrNull(email?.timestamp ?? null),
        last_updated: isoDateOrNull(email?.lastUpdated ?? null),
        method: email?.method ?? null,
        method_detail: email?.methodDetail ?? null,
        custom_method_detail: email?.customMethodDetail ?? null,
        double_optin: email?.consent === 'SUBSCRIBED' ? email.doubleOptIn : null,
        suppression: suppression.map(({ reason, timestamp }) => ({
          reason,
          timestamp: isoDate(timestamp),
        })),
        list_suppressions: (profiles.listSuppressions.get(index) ?? []).map((listSuppression) => ({
          list_id: listSuppression.listId,
          reason: listSuppression.reason,
          timestamp: isoDate(listSuppression.timestamp),
        })),
      },
      open_tracking: permission(record('email.open_tracking')),
      click_tracking: permission(record('email.click_tracking')),
    },
    sms: {
      marketing: { can_receive_sms_marketing: isIn(sms), ...textConsent(sms) },
      transactional: {
        // Consent to marketing texts includes transactional ones, not the other way round.
        can_receive_sms_transactional: isIn(transactional) || isIn(sms),
        ...textConsent(transactional),
      },
    },
    mobile_push: {
      marketing: {
        can_receive_push_marketing: isIn(push),
        consent: consentOf(push),
        consent_timestamp: isoDateOrNull(push?.timestamp ?? null),
      },
    },
    whatsapp: whatsapp(
      profiles.phone(index),
      record('whatsapp.marketing'),
      record('whatsapp.transactional'),
      record('whatsapp.conversational'),
    ),
  };
}

type Stored = ConsentRecord | null;

const consentOf = (record: Stored) => record?.consent ?? 'NEVER_SUBSCRIBED';
const isIn = (record: Stored) => record?.consent === 'SUBSCRIBED';

function textConsent(record: Stored): TextConsent {
  return {
    consent: consentOf(record),
    consent_timestamp: isoDateOrNull(record?.timestamp ?? null),
    method: record?.method ?? null,
    method_detail: record?.methodDetail ?? null,
    last_updated: isoDateOrNull(record?.lastUpdated ?? null),
  };
}

function permission(record: Stored): Permission {
  return {
    consent: consentOf(record),
    consent_timestamp: isoDateOrNull(record?.timestamp ?? null),
    last_updated: isoDateOrNull(record?.lastUpdated ?? null),
    created_timestamp: isoDateOrNull(record?.timestamp ?? null),
    metadata: null,
    can_receive: isIn(record),
    valid_until: null,
  };
}

/** Null for people who never used WhatsApp, as in most accounts. */
function whatsapp(
  phone: string | null,
  marketing: Stored,
  transactional: Stored,
  talk: Stored,
): SubscriptionsView['whatsapp'] {
  if (marketing === null && transactional === null && talk === null) return null;
  const entry = (record: Stored) =>
    record === null ? null : { ...permission(record), phone_number: phone };
  return {
    marketing: entry(marketing),
    transactional: entry(transactional),
    conversational: entry(talk),
  };
}
