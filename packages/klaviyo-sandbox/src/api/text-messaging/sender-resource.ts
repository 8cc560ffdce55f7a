import type { Registration, Sender } from '../../account/texting/senders.js';
import { isoDate, isoDateOrNull } from '../../time/dates.js';
import type { Query } from '../query/query.js';
import type { Forms } from '../revisions/forms.js';

export const SENDER = 'text-messaging-sender';
export const REGISTRATION = 'text-messaging-sender-registration';

/** A sender or a registration in an answer. */
export interface TextResource {
  type: string;
  id: string;
  attributes: object;
  relationships: object;
  links: { self: string };
}

export function senderWriter(query: Query, origin: string): (sender: Sender) => TextResource {
  return (sender: Sender) => {
    const self = `${origin}/api/text-messaging-senders/${sender.id}/`;
    const { registration } = sender;
    return {
      type: SENDER,
      id: sender.id,
      attributes: query.pick(SENDER, {
        sender_type: sender.type,
        sender_details: { country: sender.country },
        status: sender.status,
        created_at: isoDate(sender.createdAt),
        forwarding_number: sender.forwardingNumber,
        sender_identifier: sender.identifier,
      }),
      relationships: {
        [REGISTRATION]: {
          ...(registration === null ? {} : { data: { type: REGISTRATION, id: registration.id } }),
          links: {
            self: `${self}relationships/${REGISTRATION}/`,
            related: `${self}${REGISTRATION}/`,
          },
        },
      },
      links: { self },
    };
  };
}

/** If a registration has no URL of its own, its sender's URL leads to the latest one. */
export function registrationWriter(
  query: Query,
  origin: string,
  { registrationsHaveAddresses }: Forms,
): (registration: Registration) => TextResource {
  return (registration: Registration) => {
    const sender = `${origin}/api/text-messaging-senders/${registration.senderId}/`;
    return {
      type: REGISTRATION,
      id: registration.id,
      attributes: query.pick(REGISTRATION, {
        status: registration.status,
        failures: registration.failures.map((detail) => ({ detail })),
        created_at: isoDate(registration.createdAt),
        updated_at: isoDate(registration.updatedAt),
        submitted_at: isoDateOrNull(registration.submittedAt),
        decided_at: isoDateOrNull(registration.decidedAt),
      }),
      relationships: { [SENDER]: { data: { type: SENDER, id: registration.senderId } } },
      links: {
        self: registrationsHaveAddresses
          ? `${origin}/api/${REGISTRATION}s/${registration.id}/`
          : `${sender}${REGISTRATION}/`,
      },
    };
  };
}
