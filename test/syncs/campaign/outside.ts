import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox, TruthLine } from 'klaviyo-sandbox';
import { LISTS } from '../../adversary/play/account.js';
import { mailOf, numberOf } from './identifiers.js';
import type { Act } from './scenario.js';

interface OutsideCall {
  readonly path: string;
  readonly type: string;
  readonly profile: object;
  readonly listId?: string;
}

const TRIES = 50;

/** Another program of the brand calls Klaviyo's API. It tries again until it is answered. */
export async function callFromOutside(
  { url, apiKey }: Sandbox,
  what: Act['do'],
  line: TruthLine,
): Promise<void> {
  const { path, type, profile, listId } = callOf(what, line);
  const list = { list: { data: { type: 'list', id: listId } } };
  const body = JSON.stringify({
    data: {
      type,
      attributes: { profiles: { data: [{ type: 'profile', attributes: profile }] } },
      ...(listId === undefined ? {} : { relationships: list }),
    },
  });
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(`${url}/api/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Klaviyo-API-Key ${apiKey}`,
        revision: '2026-10-15',
        'content-type': 'application/vnd.api+json',
      },
      body,
    }).catch(() => null);
    if (answer?.status === 202) return;
    const isShort = answer === null || answer.status === 429 || answer.status >= 500;
    if (!isShort || attempt === TRIES) {
      throw new Error(`${path}: ${answer?.status} ${await answer?.text()}`);
    }
    await delay(50);
  }
}

function callOf(what: Act['do'], line: TruthLine): OutsideCall {
  const marketing = (consent: string) => ({ marketing: { consent } });
  const removal = {
    path: 'profile-subscription-bulk-delete-jobs',
    type: 'profile-subscription-bulk-delete-job',
  };
  switch (what) {
    case 'unsubscribe_by_api':
      return {
        ...removal,
        profile: { ...mailOf(line), subscriptions: { email: marketing('UNSUBSCRIBED') } },
      };
    case 'stop_by_api':
      return {
        ...removal,
        profile: { ...numberOf(line), subscriptions: { sms: marketing('UNSUBSCRIBED') } },
      };
    case 'subscribe_by_api':
      return {
        path: 'profile-subscription-bulk-create-jobs',
        type: 'profile-subscription-bulk-create-job',
        listId: LISTS.single,
        profile: { ...mailOf(line), subscriptions: { email: marketing('SUBSCRIBED') } },
      };
    case 'suppress_by_api':
      return {
        path: 'profile-suppression-bulk-create-jobs',
        type: 'profile-suppression-bulk-create-job',
        profile: mailOf(line),
      };
    default:
      throw new Error(`no call for ${what}`);
  }
}
