import { shortId } from '../chance.js';
import { isoDate } from '../dates.js';
import { notFound } from './errors.js';
import { sparse } from './fields.js';
import type { Call, Reply } from './operation.js';
import { linksOf, pageOf } from './page.js';
import { sortOf } from './profile-query.js';

const CONFIGURATION = 'text-messaging-configuration';
const SENDER = 'text-messaging-sender';
const CONFIGURATION_FIELDS = [
  'id',
  'org_prefix',
  'opt_out_language',
  'status',
  'created_at',
  'updated_at',
];
const SENDER_FIELDS = [
  'id',
  'sender_type',
  'sender_details',
  'status',
  'created_at',
  'forwarding_number',
  'sender_identifier',
];

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
    attributes: sparse(query, CONFIGURATION, CONFIGURATION_FIELDS)(attributes),
    links: { self },
  };
  return { status: 200, body: { data, links: { self: url.href } } };
}

/** `get_text_messaging_senders_beta`: without an SMS account there are none. */
export function getTextMessagingSenders({ account, query, url }: Call): Reply {
  const { sms, seed } = account.settings;
  const { descending } = sortOf(query, ['created_at'], 'created_at');
  const { size, after } = pageOf(query, { default: 10, max: 20 }, Number.isSafeInteger as IsNumber);
  const pick = sparse(query, SENDER, SENDER_FIELDS);
  const senders = sms.status === 'none' ? [] : sms.senders.map((sender, i) => ({ sender, i }));
  if (descending) senders.reverse();
  const start = after === null ? 0 : senders.findIndex(({ i }) => i === after) + 1;
  const found = senders.slice(start, start + size);
  const data = found.map(({ sender, i }) => {
    const id = shortId(seed, 'sender', String(i));
    return {
      type: SENDER,
      id,
      attributes: pick({
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
  const last = start + size < senders.length ? found.at(-1)!.i : null;
  return { status: 200, body: { data, links: linksOf(url, last) } };
}

type IsNumber = (value: unknown) => value is number;
