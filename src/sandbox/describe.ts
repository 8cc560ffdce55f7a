import type { Sandbox } from './server.js';

/** Address, key and three calls to try, ready to be printed. */
export function describeSandbox({ url, apiKey, account }: Sandbox): string {
  const headers = [
    `-H 'Authorization: Klaviyo-API-Key ${apiKey}'`,
    "-H 'revision: 2026-07-15'",
    "-H 'content-type: application/vnd.api+json'",
  ].join(' ');
  const list = account.lists.all()[0];
  const relationships =
    list === undefined
      ? ''
      : `,"relationships":{"list":{"data":{"type":"list","id":"${list.id}"}}}`;
  const subscribe =
    '{"data":{"type":"profile-subscription-bulk-create-job","attributes":{"profiles":{"data":[' +
    '{"type":"profile","attributes":{"email":"ada@shop.test","subscriptions":' +
    '{"email":{"marketing":{"consent":"SUBSCRIBED"}}}}}]}}' +
    `${relationships}}}`;
  return [
    `Simulated Klaviyo: ${url}`,
    `API key:           ${apiKey}`,
    '',
    'Subscribe somebody:',
    `  curl -i ${headers} ${url}/api/profile-subscription-bulk-create-jobs -d '${subscribe}'`,
    'Read what the API shows:',
    `  curl -g ${headers} '${url}/api/profiles?additional-fields[profile]=subscriptions'`,
    'See what is true, and what was sent:',
    `  curl ${url}/sandbox/truth ${url}/sandbox/messages`,
  ].join('\n');
}
