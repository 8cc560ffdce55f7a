import type { SandboxAccount } from '../account/account.js';
import { notFound, refuse, type ApiError } from './http/errors.js';

/** What a read of one resource answers where the id does not exist: the switch says 404 or 400. */
export function unknownId({ settings }: SandboxAccount, what: string, id: string): ApiError {
  const error = notFound(what, id);
  return settings.switches.unknownIdOnGet === 404 ? error : refuse('/data/id', error.message);
}
