import type { RunOptions } from '../../migrations/request/migration-request.js';
import { parseRequest, parseRunOptions } from '../../migrations/request/parse.js';
import type { FullRequest } from '../../migrations/request/schema.js';
import type { OffChange } from '../apply/changes.js';
import { inFolder } from '../file/read.js';
import type { Programs } from '../load.js';
import type { Program } from '../program.js';
import { asKey, customSourceOf, locationOf } from '../request.js';

/** A program of an account, and what is done about the people of channels that were switched off. */
export interface SwitchingOff {
  readonly loaded: Programs;
  readonly program: Program;
  readonly accountId: string;
  readonly off: OffChange;
}

/**
 * What the run is asked for that unsubscribes people of channels that were switched off. From
 * everything: consent belongs to a channel, and leaving the list alone would leave it as it is.
 *
 * @throws SettingsError if an option is wrong
 */
export function offRequestOf(
  { loaded, program, accountId, off }: SwitchingOff,
  options: RunOptions = {},
): FullRequest {
  const { file, secrets } = loaded;
  const { source } = program;
  return parseRequest(
    {
      ...parseRunOptions(options),
      file: locationOf(file, secrets, program),
      query: source.query ?? null,
      encoding: source.encoding ?? null,
      channels: off.channels,
      preset: source.preset ?? null,
      mapping: source.mapping === undefined ? null : inFolder(file, source.mapping),
      smsColumn: source.sms_column ?? null,
      country: program.country.value,
      timezone: source.timezone ?? null,
      account: accountId,
      operation: 'unsubscribe',
      unsubscribeFrom: 'everything',
      smsCountries: program.smsCountries.value,
      smsWithoutSender: program.smsWithoutSender.value,
      customSource: customSourceOf(program),
      // What was read before does not show how consent was given.
      mirror: off.people === 'unsubscribe_given' ? 'off' : 'auto',
    },
    asKey,
  );
}
