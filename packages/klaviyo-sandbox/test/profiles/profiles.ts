import assert from 'node:assert/strict';
import type { Sandbox } from '../../src/index.js';
import type { ErrorBody, Resource } from '../support.js';
import { call } from '../support.js';

export interface ProfileAnswer {
  data: Resource & { relationships: Record<string, { data?: unknown[]; links: object }> };
  included?: { type: string; id: string; attributes: Record<string, unknown> }[];
}

interface Extras {
  id?: string;
  meta?: object;
}

export const profileBody = (attributes: object, extras: Extras = {}) => ({
  data: { type: 'profile', ...extras, attributes },
});

export const create = (sandbox: Sandbox, attributes: object) =>
  call(sandbox, 'POST', '/api/profiles', profileBody(attributes));

export const update = (sandbox: Sandbox, id: string, attributes: object, extras: Extras = {}) =>
  call(sandbox, 'PATCH', `/api/profiles/${id}`, profileBody(attributes, { id, ...extras }));

export const upsert = (sandbox: Sandbox, attributes: object, extras: Extras = {}) =>
  call(sandbox, 'POST', '/api/profile-import', profileBody(attributes, extras));

/** The profile of an answer with this status. */
export async function profileOf(response: Response, status: number): Promise<ProfileAnswer> {
  const body = (await response.json()) as ProfileAnswer;
  assert.equal(response.status, status, JSON.stringify(body));
  return body;
}

/** Id of a new profile. */
export async function created(sandbox: Sandbox, attributes: object): Promise<string> {
  return (await profileOf(await create(sandbox, attributes), 201)).data.id;
}

/** The only error of an answer. */
export async function errorOf(response: Response) {
  const { errors } = (await response.json()) as ErrorBody & {
    errors: { meta?: Record<string, unknown> }[];
  };
  assert.equal(errors.length, 1);
  return errors[0]!;
}

export const idOf = (sandbox: Sandbox, email: string): string | undefined => {
  const index = sandbox.account.profiles.withEmail(email);
  return index === undefined ? undefined : sandbox.account.profiles.id(index);
};
