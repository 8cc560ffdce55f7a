import type { SandboxAccount } from '../../account/account.js';
import type { Sender } from '../../account/texting/senders.js';
import { notFound, single } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';
import { readSenderRequest } from './sender-request.js';
import { REGISTRATION, registrationWriter, SENDER, senderWriter } from './sender-resource.js';

/** `get_text_messaging_senders_beta`: without an SMS account there are none. */
export function getTextMessagingSenders(call: Call): Reply {
  const { found, links } = pageOfFew(call, call.account.texting.senders(), (sender) => ({
    created_at: sender.createdAt,
  }));
  const data = found.map(senderWriter(call.query, call.url.origin));
  return { status: 200, body: { data, links, ...included(call, found) } };
}

/** `get_text_messaging_sender_beta` */
export function getTextMessagingSender(call: Call): Reply {
  const sender = knownSender(call.account, call.id);
  const data = senderWriter(call.query, call.url.origin)(sender);
  return {
    status: 200,
    body: { data, links: { self: call.url.href }, ...included(call, [sender]) },
  };
}

/** `create_text_messaging_sender_beta`: the wording about a missing configuration is ours. */
export function createTextMessagingSender(call: Call): Reply {
  const { account, body, query, url } = call;
  const { country, forwardingNumber } = readSenderRequest(body);
  if (account.texting.configuration() === null) {
    const detail = 'A text messaging configuration is required to create a sender.';
    throw single(400, 'invalid', 'Invalid input.', detail);
  }
  const sender = account.texting.addTollFree(country, forwardingNumber);
  const data = senderWriter(query, url.origin)(sender);
  const links = { self: data.links.self };
  return { status: 201, body: { data, links, ...included(call, [sender]) } };
}

/** `get_messaging_sender_registration_for_text_messaging_sender_beta`: null if there is none. */
export function getSenderRegistration({ account, id, query, url, forms }: Call): Reply {
  const { registration } = knownSender(account, id);
  const data = registration && registrationWriter(query, url.origin, forms)(registration);
  return { status: 200, body: { data, links: { self: url.href } } };
}

/** `get_messaging_sender_registration_id_for_text_messaging_sender_beta` */
export function getSenderRegistrationId({ account, id, url }: Call): Reply {
  const { registration } = knownSender(account, id);
  const data = registration && { type: REGISTRATION, id: registration.id };
  return { status: 200, body: { data, links: { self: url.href } } };
}

export function knownSender(account: SandboxAccount, id: string): Sender {
  const sender = account.texting.sender(id);
  if (sender === undefined) throw notFound(SENDER, id);
  return sender;
}

function included(
  { query, url, forms }: Call,
  senders: readonly Sender[],
): { included?: object[] } {
  if (!query.includes(REGISTRATION)) return {};
  const registrations = senders.flatMap(({ registration }) => registration ?? []);
  return { included: registrations.map(registrationWriter(query, url.origin, forms)) };
}
