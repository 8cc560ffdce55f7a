import { NEWEST } from './api/revisions/forms.js';
import type { Sandbox } from './server.js';

/** Address, key and three calls to try, ready to be printed; each works when pasted. */
export function describeSandbox(sandbox: Sandbox): string {
  const { url, apiKey } = sandbox;
  return [
    `Simulated Klaviyo: ${url}`,
    `API key:           ${apiKey}`,
    '',
    'Subscribe somebody:',
    `  ${subscribeCall(sandbox)}`,
    'Read what the API shows:',
    `  curl -g ${headersFor(apiKey)} ${quoted(`${url}/api/profiles?additional-fields[profile]=subscriptions`)}`,
    'See the true state, and which double opt-in messages were sent:',
    `  curl ${quoted(`${url}/sandbox/truth`)} ${quoted(`${url}/sandbox/messages`)}`,
  ].join('\n');
}

function headersFor(apiKey: string): string {
  return [`Authorization: Klaviyo-API-Key ${apiKey}`, `revision: ${NEWEST}`]
    .map((header) => `-H ${quoted(header)}`)
    .join(' ');
}

function subscribeCall({ url, apiKey, account }: Sandbox): string {
  const list = account.lists.all()[0];
  const body = {
    data: {
      type: 'profile-subscription-bulk-create-job',
      attributes: {
        profiles: {
          data: [
            {
              type: 'profile',
              attributes: {
                email: 'ada@shop.test',
                subscriptions: { email: { marketing: { consent: 'SUBSCRIBED' } } },
              },
            },
          ],
        },
      },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list.id } } } }),
    },
  };
  return [
    'curl -i',
    headersFor(apiKey),
    `-H ${quoted('content-type: application/vnd.api+json')}`,
    quoted(`${url}/api/profile-subscription-bulk-create-jobs`),
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(' ');
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
