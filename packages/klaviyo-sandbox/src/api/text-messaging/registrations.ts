import type { Registration } from '../../account/texting/senders.js';
import { notFound, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { readRegistrationRequest } from './sender-request.js';
import { REGISTRATION, registrationWriter, SENDER, senderWriter } from './sender-resource.js';
import { knownSender } from './senders.js';

/** `get_text_messaging_sender_registration`: also one that was replaced by a later one. */
export function getTextMessagingRegistration(call: Call): Reply {
  const registration = call.account.texting.registration(call.id);
  if (registration === undefined) throw notFound(REGISTRATION, call.id);
  return reply(call, 200, registration);
}

/**
 * `create_text_messaging_sender_registration`: for a sender whose last one was rejected or needs
 * action. We assume that others are refused, with this wording.
 */
export function createSenderRegistration(call: Call): Reply {
  const sender = knownSender(call.account, readRegistrationRequest(call.body));
  const registration = call.account.texting.registerAgain(sender);
  if (registration === null) {
    const detail = 'The sender has no registration that can be submitted again.';
    throw single(409, 'conflict', 'Conflict.', detail);
  }
  return reply(call, 201, registration);
}

function reply(call: Call, status: 200 | 201, registration: Registration): Reply {
  const { account, query, url, forms } = call;
  const data = registrationWriter(query, url.origin, forms)(registration);
  const sender = knownSender(account, registration.senderId);
  const included = query.includes(SENDER) ? [senderWriter(query, url.origin)(sender)] : undefined;
  const links = { self: status === 200 ? url.href : data.links.self };
  return { status, body: { data, links, ...(included && { included }) } };
}
