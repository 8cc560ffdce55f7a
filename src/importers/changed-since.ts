import type { Channel, Operation } from '../contracts/channels.js';
import type { Intent } from '../contracts/intents.js';
import type { Reason } from '../contracts/outcomes.js';
import { digestOf, IdentifierGroups } from './identifier-groups.js';
import type { ImportedSource } from './imported-source.js';

/** What changed between two exports of one tool: rows of the newer one, and people. */
export interface Changes {
  /** Rows of the newer export: those that changed, and those that did not. */
  readonly rows: number;
  /** Rows that are new or changed, or that share a person with one. Only these are run. */
  readonly changed: number;
  /** Rows that are left out: all that the export says about their people is as it was. */
  readonly unchanged: number;
  /** People of the older export, by address or else by number, whom the newer one does not have. */
  readonly vanished: number;
}

/** A row of the older export that has an address or a number which the newer one does not have. */
export interface VanishedRow {
  /** Line of the older export. */
  readonly line: number;
  /** Null if the row has none, or the newer export has it. */
  readonly email: string | null;
  /** E.164; null as `email`. */
  readonly phoneNumber: string | null;
  /** What the row said, as in a report. */
  readonly parts: readonly {
    readonly channel: Channel;
    readonly operation: Operation;
    /** RFC 3339 in UTC. */
    readonly consentedAt: string | null;
    /** Why this part was refused. */
    readonly rejected: Reason | null;
  }[];
}

export interface ChangedSource {
  readonly changes: Changes;
  /** As `ImportedSource.intents`, without the rows that are left out. */
  readonly intents: AsyncIterable<Intent[]>;
}

interface Comparing {
  /**
   * Before the older export was migrated. Later dates may have been in the future then: rows with them
   * are run again.
   */
  readonly before: Date;
  /** Gets all vanished rows, in order, and is awaited. */
  readonly onVanished?: ((rows: AsyncIterable<VanishedRow>) => Promise<void>) | undefined;
  /** Called with the number of rows read so far, of both exports. */
  readonly onRows?: ((rows: number) => void) | undefined;
}

/**
 * Compares two exports that were opened with the same options. A row of the newer one is left out only
 * if all rows of its person are in the older one, as they are now, and no others are. A person is
 * whoever is connected by rows of either export through addresses and numbers, as far as that goes:
 * several rows about a person are judged together, and one that names only the number can stand against
 * one that names only the address. So the rows that are left end as they would among all rows.
 *
 * Reads the newer export once, and the older one; `intents` reads the newer one again.
 *
 * @throws SourceError if one of them cannot be read
 */
export async function changedSince(
  newer: ImportedSource,
  older: ImportedSource,
  { before, onVanished = readAll, onRows = () => undefined }: Comparing,
): Promise<ChangedSource> {
  const groups = new IdentifierGroups();
  let rows = 0;
  let malformed = 0;
  for await (const batch of newer.intents) {
    for (const intent of batch) {
      if (isMalformed(intent)) malformed += 1;
      else groups.countRow(addRow(groups, intent, 1).first);
    }
    rows += batch.length;
    onRows(rows);
  }
  const reading = new OlderReading(groups, older, before, (read) => onRows(rows + read));
  const vanished = reading.vanishedRows();
  // Ends only when it is read to its end: the comparison needs all of it.
  await onVanished({ [Symbol.asyncIterator]: () => ({ next: () => vanished.next() }) });
  await readAll(vanished);
  groups.sumUp();
  const changed = malformed + groups.unevenRows();
  return {
    changes: { rows, changed, unchanged: rows - changed, vanished: reading.people },
    intents: { [Symbol.asyncIterator]: () => changedRows(groups, newer) },
  };
}

async function* changedRows(
  groups: IdentifierGroups,
  newer: ImportedSource,
): AsyncGenerator<Intent[], void, undefined> {
  for await (const batch of newer.intents) {
    const changed = batch.filter(
      (intent) => isMalformed(intent) || groups.isUneven(numbersOf(groups, intent).first),
    );
    if (changed.length > 0) yield changed;
  }
}

/** Takes the older export away from what the newer one says, and notices who is missing there. */
class OlderReading {
  people = 0;
  readonly #inNewer: number;
  readonly #before: string;

  constructor(
    private readonly groups: IdentifierGroups,
    private readonly older: ImportedSource,
    before: Date,
    private readonly onRows: (rows: number) => void,
  ) {
    this.#inNewer = groups.size;
    this.#before = before.toISOString();
  }

  async *vanishedRows(): AsyncGenerator<VanishedRow, void, undefined> {
    let rows = 0;
    for await (const batch of this.older.intents) {
      for (const intent of batch) {
        const row = isMalformed(intent) ? null : this.#row(intent);
        if (row !== null) yield row;
      }
      rows += batch.length;
      this.onRows(rows);
    }
  }

  #row(intent: Intent): VanishedRow | null {
    const known = this.groups.size;
    const { first, email, phone } = addRow(this.groups, intent, -1);
    if (this.#isLate(intent)) this.groups.mark(first);
    const isGone = (number: number | null) => number !== null && number >= this.#inNewer;
    if (!isGone(email) && !isGone(phone)) return null;
    const person = isGone(email) ? email : phone;
    if (person !== null && person >= known) this.people += 1;
    const { line, parts } = intent;
    return {
      line,
      email: isGone(email) ? intent.email : null,
      phoneNumber: isGone(phone) ? intent.phoneNumber : null,
      parts,
    };
  }

  #isLate({ parts }: Intent): boolean {
    return parts.some(({ consentedAt }) => consentedAt !== null && consentedAt > this.#before);
  }
}

/** What a row could not be split into is not known, and may have changed: it always stays. */
function isMalformed({ parts }: Intent): boolean {
  return parts.some(({ rejected }) => rejected === 'row_malformed');
}

/** The numbers of a row's identifiers. */
interface Numbers {
  /** Of any of them. A row that identifies nobody has one by what it has in their place. */
  readonly first: number;
  readonly email: number | null;
  readonly phone: number | null;
}

function addRow(groups: IdentifierGroups, intent: Intent, times: 1 | -1): Numbers {
  const numbers = numbersOf(groups, intent);
  const { first, email, phone } = numbers;
  if (email !== null && phone !== null) groups.join(email, phone);
  const { line: _line, ...said } = intent;
  groups.add(first, digestOf(JSON.stringify(said)), times);
  return numbers;
}

function numbersOf(groups: IdentifierGroups, intent: Intent): Numbers {
  const { rawEmail, rawPhone } = intent;
  const number = (kind: string, text: string) => groups.numberOf(digestOf(`${kind} ${text}`));
  const email = intent.email === null ? null : number('email', intent.email);
  const phone = intent.phoneNumber === null ? null : number('phone', intent.phoneNumber);
  const first = email ?? phone ?? number('none', JSON.stringify([rawEmail, rawPhone]));
  return { first, email, phone };
}

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const row of rows) void row;
}
