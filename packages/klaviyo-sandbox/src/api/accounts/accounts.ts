import type { Settings } from '../../settings/options.js';
import { notFound } from '../http/errors.js';
import type { Call, Reply } from '../operation.js';
import type { Query } from '../query/query.js';

/** `get_accounts`: the one account of the key. */
export function getAccounts({ account, query, url }: Call): Reply {
  const data = [accountResource(account.settings, query, url)];
  return { status: 200, body: { data, links: { self: url.href, next: null, prev: null } } };
}

/** `get_account`: only the key's own account. */
export function getAccount({ account, id, query, url }: Call): Reply {
  if (id !== account.settings.account.id) throw notFound('account', id);
  const data = accountResource(account.settings, query, url);
  return { status: 200, body: { data, links: { self: url.href } } };
}

function accountResource({ account }: Settings, query: Query, url: URL) {
  const attributes = {
    test_account: true,
    contact_information: {
      default_sender_name: account.name,
      default_sender_email: 'sender@example.com',
      website_url: 'https://shop.example',
      organization_name: account.name,
      street_address: {
        address1: '1 Example Street',
        address2: null,
        city: 'Exampleton',
        region: null,
        country: account.country,
        zip: null,
      },
    },
    industry: null,
    timezone: 'UTC',
    preferred_currency: 'USD',
    public_api_key: account.id,
    locale: 'en-US',
  };
  return {
    type: 'account',
    id: account.id,
    attributes: query.pick('account', attributes),
    links: { self: `${url.origin}/api/accounts/${account.id}/` },
  };
}
