import * as z from 'zod';
import { isDatetime, optionalDatetime } from '../reads/datetime.js';
import { identifier } from '../reads/identifier.js';

/*
 * A profile as Klaviyo sends it. A field that is undefined was not sent, or could not be read; null
 * was sent. No field of consent makes a profile unreadable: that would hide what else it says.
 */

const text = z.string().nullish().catch(undefined);
const flag = z.boolean().nullish();

const datetime = z
  .string()
  .nullish()
  .transform((sent) => (typeof sent === 'string' && !isDatetime(sent) ? undefined : sent));

const consent = { consent: text, consent_timestamp: datetime };
const permission = z.object({
  ...consent,
  last_updated: datetime,
  valid_until: datetime,
  phone_number: text,
  can_receive: flag.catch(undefined),
});
const texts = { ...consent, method: text, method_detail: text, last_updated: datetime };
// Nothing is decided by it, so an unreadable value must not hide consent that matters.
const tracking = permission.nullish().catch(undefined);

const emailMarketing = z.object({
  ...texts,
  can_receive_email_marketing: flag,
  custom_method_detail: text,
  double_optin: flag,
  suppression: z.array(z.object({ reason: z.string(), timestamp: optionalDatetime })).nullish(),
  list_suppressions: z
    .array(z.object({ list_id: z.string(), reason: z.string(), timestamp: optionalDatetime }))
    .nullish(),
});

const subscriptions = z.object({
  email: z
    .object({
      marketing: emailMarketing.nullish(),
      open_tracking: tracking,
      click_tracking: tracking,
    })
    .nullish(),
  sms: z
    .object({
      marketing: z.object({ ...texts, can_receive_sms_marketing: flag }).nullish(),
      transactional: z.object({ ...texts, can_receive_sms_transactional: flag }).nullish(),
    })
    .nullish(),
  whatsapp: z
    .object({
      marketing: permission.nullish(),
      transactional: permission.nullish().catch(undefined),
      conversational: permission.nullish().catch(undefined),
    })
    .nullish(),
  // Called `push` in writes.
  mobile_push: z
    .object({
      marketing: z.object({ ...consent, can_receive_push_marketing: flag }).nullish(),
    })
    .nullish(),
});

/**
 * A profile with its subscriptions. `subscriptions` must be present, even if null: without it the
 * profile would look as if it had never opted out.
 */
export const wireProfile = z.object({
  id: z.string(),
  attributes: z.object({
    email: identifier,
    phone_number: identifier,
    external_id: text,
    created: datetime,
    joined_group_at: optionalDatetime,
    subscriptions: subscriptions.nullable(),
  }),
});

export type WireProfile = z.infer<typeof wireProfile>;
export type WireSubscriptions = z.infer<typeof subscriptions>;
export type WireEmail = z.infer<typeof emailMarketing>;
export type WirePermission = z.infer<typeof permission>;
