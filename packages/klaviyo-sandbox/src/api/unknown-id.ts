import type { SandboxAccount } from '../account/account.js';
import { notFound, refuse, type ApiError } from './http/errors.js';

/**
 * The answer to a read of one resource if the id does not exist: 404 or 400, as the switch says.
 */
export function unknownId({ settings }: SandboxAccount, what: string, id: string): ApiError {
  const error = notFound(what, id);
  return settings.switches.unknownIdOnGet === 404 ? error : refuse('/data/id', error.message);
}
