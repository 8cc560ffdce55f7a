import type { TestContext } from 'node:test';
import { startSandbox, type Sandbox, type SandboxOptions } from '../src/index.js';

export interface ErrorBody {
  errors: {
    status: number;
    code: string;
    title: string;
    detail: string;
    source: { pointer?: string; parameter?: string };
  }[];
}
export interface Resource {
  id: string;
  attributes: Record<string, unknown> & { subscriptions?: Subscriptions };
}
export interface Subscriptions {
  email: { marketing: Record<string, unknown> };
  sms: { marketing: Record<string, unknown>; transactional: Record<string, unknown> };
}
export interface PageBody {
  data: Resource[];
  links: { next: string | null };
}

export const HOUR = 3_600_000;

/** A sandbox with a list of each kind, closed when the test ends. Delays are Klaviyo's. */
export async function sandboxFor(t: TestContext, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({
    lists: [
      { id: 'Single', name: 'Single', opt_in_process: 'single_opt_in' },
      { id: 'Double', name: 'Double', opt_in_process: 'double_opt_in' },
    ],
    clicks: { share: 0, delayMs: [1_000, 60_000] },
    ...options,
  });
  t.after(() => sandbox.close());
  return sandbox;
}

export function headersOf(sandbox: Sandbox): Record<string, string> {
  return {
    authorization: `Klaviyo-API-Key ${sandbox.apiKey}`,
    revision: '2026-07-15',
    'content-type': 'application/vnd.api+json',
  };
}

export async function call(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(new URL(path, sandbox.url), {
    method,
    headers: { ...headersOf(sandbox), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function get<T = PageBody>(sandbox: Sandbox, path: string): Promise<T> {
  const response = await call(sandbox, 'GET', path);
  const body = await response.json();
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body as T;
}

/** Attributes of one row; `channels` are requested with `marketing` consent. */
export function row(
  identifiers: { email?: string; phone_number?: string; age_gated_date_of_birth?: string },
  channels: readonly string[] = ['email'],
  parameters: Record<string, unknown> = {},
) {
  const marketing = { marketing: { consent: 'SUBSCRIBED', ...parameters } };
  const subscriptions = Object.fromEntries(channels.map((channel) => [channel, marketing]));
  return { type: 'profile', attributes: { ...identifiers, subscriptions } };
}

export function subscribeBody(
  rows: readonly unknown[],
  {
    list,
    ...attributes
  }: { list?: string; historical_import?: boolean; custom_source?: string } = {},
) {
  return {
    data: {
      type: 'profile-subscription-bulk-create-job',
      attributes: { profiles: { data: rows }, ...attributes },
      ...(list === undefined
        ? {}
        : { relationships: { list: { data: { type: 'list', id: list } } } }),
    },
  };
}

export const SUBSCRIBE = '/api/profile-subscription-bulk-create-jobs';
export const UNSUBSCRIBE = '/api/profile-subscription-bulk-delete-jobs';
export const IMPORT = '/api/profile-bulk-import-jobs';

export function subscribe(
  sandbox: Sandbox,
  rows: readonly unknown[],
  options: Parameters<typeof subscribeBody>[1] = {},
): Promise<Response> {
  return call(sandbox, 'POST', SUBSCRIBE, subscribeBody(rows, options));
}

export async function refusal(response: Response) {
  const { errors } = (await response.json()) as ErrorBody;
  return {
    status: response.status,
    errors: errors.map(({ detail, source }) => [source.pointer ?? source.parameter, detail]),
  };
}

export function consentOf(sandbox: Sandbox, email: string) {
  const truth = sandbox.account.truthFor({ email });
  return truth === undefined
    ? undefined
    : {
        email: truth.subscriptions.email.marketing.consent,
        sms: truth.subscriptions.sms.marketing.consent,
        lists: truth.lists.map(({ id }) => id),
      };
}
