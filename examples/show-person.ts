/**
 * Prints everything that was ever done about a person, and their consent as Klaviyo holds it now.
 *
 *   node --import tsx examples/show-person.ts ada@example.com
 */
import { connect, type Person } from 'consentry';

const [who] = process.argv.slice(2);
if (who === undefined)
  throw new Error('Give an e-mail address, or a phone number such as +12015550123.');

// People are found by their normalised form: lower case, or E.164.
const person: Person = who.includes('@')
  ? { by: 'email', value: who.toLowerCase() }
  : { by: 'phone_number', value: who };

const connected = await connect();
const { people } = connected.consentry;
try {
  // From the ledger: what their rows asked for, in which run, and how it ended.
  for (const {
    startedAt,
    sourceName,
    line,
    channel,
    operation,
    outcome,
    reason,
  } of await people.history(person)) {
    const ended = reason ?? outcome ?? 'open';
    const where = `${sourceName}, line ${line}`;
    console.log(`${startedAt.toISOString()} ${where}: ${operation} ${channel}: ${ended}`);
  }

  // From Klaviyo, by a worker. Temporal hears of the question, never of the person.
  const { readAt, profiles } = await people.liveConsent(person);
  if (profiles.length === 0) console.log(`Klaviyo had no profile at ${readAt}.`);
  for (const { id, channels, suppressions } of profiles) {
    for (const { channel, consent, consentedAt } of channels) {
      console.log(`Profile ${id}: ${channel} ${consent} since ${consentedAt ?? 'an unknown time'}`);
    }
    for (const { reason } of suppressions) console.log(`Profile ${id}: suppressed, ${reason}`);
  }
} finally {
  await connected.close();
}
