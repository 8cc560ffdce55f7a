import { shortId } from '../../chance.js';
import { isoDate } from '../../dates.js';
import { notFound } from '../errors.js';
import type { Call, Reply } from '../operation.js';
import { pageOfFew } from '../small-collection.js';

const CONFIGURATION = 'text-messaging-configuration';
const SENDER = 'text-messaging-sender';

/** `get_text_messaging_configuration_beta`: the id is the company's. */
export function getTextMessagingConfiguration({ account, id, query, url }: Call): Reply {
  const { account: company, sms } = account.settings;
  if (id !== company.id || sms.status === 'none') throw notFound(CONFIGURATION, id);
  const opened = isoDate(account.openedAt);
  const attributes = {
    org_prefix: company.name,
    opt_out_language: 'Reply STOP to opt out',
    status: sms.status,
    created_at: opened,
    updated_at: opened,
  };
  const self = `${url.origin}/api/text-messaging-configurations/${id}/`;
  const data = {
    type: CONFIGURATION,
    id,
    attributes: query.pick(CONFIGURATION, attributes),
    links: { self },
  };
  return { status: 200, body: { data, links: { self: url.href } } };
}

/** `get_text_messaging_senders_beta`: without an SMS account there are none. */
export function getTextMessagingSenders({ account, query, url }: Call): Reply {
  const { sms, seed } = account.settings;
  const senders = sms.status === 'none' ? [] : sms.senders;
  const { found, links } = pageOfFew(
    { query, url },
    senders.map((sender, i) => ({ id: shortId(seed, 'sender', String(i)), sender })),
    () => ({ created_at: account.openedAt }),
  );
  const data = found.map(({ id, sender }) => {
    return {
      type: SENDER,
      id,
      attributes: query.pick(SENDER, {
        sender_type: sender.type,
        sender_details: { country: sender.country },
        status: sender.status,
        created_at: isoDate(account.openedAt),
        forwarding_number: null,
        sender_identifier: null,
      }),
      relationships: {
        'text-messaging-sender-registration': {
          links: {
            self: `${url.origin}/api/text-messaging-senders/${id}/relationships/text-messaging-sender-registration/`,
            related: `${url.origin}/api/text-messaging-senders/${id}/text-messaging-sender-registration/`,
          },
        },
      },
      links: { self: `${url.origin}/api/text-messaging-senders/${id}/` },
    };
  });
  return { status: 200, body: { data, links } };
}
