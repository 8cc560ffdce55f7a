import type { Person } from '../contracts/person.js';
import { UsageError } from './ended.js';

const E_164 = /^\+[1-9]\d{6,14}$/;

/**
 * The person that an argument names: by an e-mail address, lower-cased, or by a phone number in
 * E.164 or in the format of `country`.
 *
 * @throws UsageError
 */
export async function personOf(argument: string, country: string | null): Promise<Person> {
  const text = argument.trim();
  if (text.includes('@')) {
    const { readEmail } = await import('../importers/values/email.js');
    const reading = readEmail(text);
    if (reading.kind === 'valid') return { by: 'email', value: reading.email };
    throw new UsageError(`"${text}" is not an e-mail address: give it as name@example.com.`);
  }
  if (E_164.test(text)) return { by: 'phone_number', value: text };
  const { readPhone } = await import('../importers/values/phone.js');
  const reading = readPhone(text, '', country);
  if (reading.kind === 'valid') return { by: 'phone_number', value: reading.phoneNumber };
  const remedy =
    country === null
      ? 'write it with its country code (+12015550123), or add --country US'
      : `it is not a number of ${country} that can get texts; write it with its country code (+12015550123)`;
  throw new UsageError(
    `"${text}" is neither an e-mail address nor a valid phone number: ${remedy}.`,
  );
}
