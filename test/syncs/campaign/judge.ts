import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { TruthLine } from 'klaviyo-sandbox';
import type { SyncResult } from '../../../src/contracts/sync.js';
import { exportSnapshot } from '../../../src/destinations/files/export-snapshot.js';
import { openDestination } from '../../../src/destinations/open-destination.js';
import { differencesOf, memberDifferences, shown, type FoundRow } from '../compare.js';
import type { CustomerDatabase } from './customer.js';
import type { People } from './people.js';

interface Judged {
  readonly table: string;
  readonly history: string;
  readonly lists: string;
  /** Klaviyo shows what happened that much later. */
  readonly slackMs: number;
  /** Nothing may stay of deleted people. */
  readonly erases: boolean;
}

const MOST_SHOWN = 12;

/** Holds a sync to its promises. */
export class Judge {
  readonly #violations: string[] = [];
  /** When the run began that is judged, and the last whole reading that came to its end. */
  #beganAt = 0;
  #readingBeganAt: number | null = null;
  #wholeAt = 0;
  /** Rows of profiles that are gone, which say that something may be sent. */
  #unnoticed = 0;
  /** Whether the sync has a table of list memberships by now. */
  hasLists = false;

  constructor(
    private readonly people: People,
    private readonly customer: CustomerDatabase,
    private readonly judged: Judged,
  ) {}

  say(violation: string): void {
    this.#violations.push(violation);
  }

  violations(): string[] {
    const more = this.#violations.length - MOST_SHOWN;
    return [...this.#violations.slice(0, MOST_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])];
  }

  remarks(): string {
    return this.#unnoticed === 0 ? '' : `; ${this.#unnoticed} rows of people who were gone`;
  }

  /** Before a run. */
  async begins(): Promise<void> {
    this.#beganAt = Date.now();
    // A whole reading that was interrupted goes on: it has seen nothing of what happened meanwhile.
    if (!(await this.#isReading())) this.#readingBeganAt = null;
    this.#readingBeganAt ??= this.#beganAt;
  }

  /** After a run that did all that it should: nobody may be sent what they did not want when it began. */
  async succeeded({ whole }: SyncResult): Promise<void> {
    const { people } = this;
    if (whole !== null) this.#wholeAt = this.#readingBeganAt ?? 0;
    people.look();
    for (const row of await this.#rows()) {
      const id = String(row['profile_id']);
      const goneAt = people.goneAt(id);
      for (const column of Object.keys(row)) {
        if (!column.startsWith('may_send_') || row[column] !== true) continue;
        if (goneAt !== null) {
          // No source shows who is gone but a whole reading.
          if (goneAt < this.#wholeAt - this.judged.slackMs) {
            this.say(`${column} of ${id}, who is gone since before the last whole reading`);
          } else this.#unnoticed += 1;
          continue;
        }
        const until = people.mayUntil(id, column);
        if (until !== null && until >= this.#beganAt - this.judged.slackMs) continue;
        const ago = until === null ? 'never' : `not for ${this.#beganAt - until} ms`;
        this.say(`${column} of ${id} is true after a run; when it began it was ${ago} so`);
      }
    }
    await this.#judgeMembers();
  }

  /** Nobody is shown as a member who had left before the run, if a source showed it, or before the whole reading. */
  async #judgeMembers(): Promise<void> {
    for (const row of await this.#members()) {
      if (row['left_at'] !== null) continue;
      const [id, list] = [String(row['profile_id']), String(row['list_id'])];
      const left = this.people.leftOf(id, list);
      const before = (left?.isShown === true ? this.#beganAt : this.#wholeAt) - this.judged.slackMs;
      if (left !== null && left.at >= before) continue;
      const ago = left === null ? 'never on it' : `not on it for ${this.#beganAt - left.at} ms`;
      this.say(`${id} is a member of ${list} after a run; when it began they were ${ago}`);
    }
  }

  /** When nothing happens any more: all but what only a whole reading shows is in the rows. */
  async caughtUp(truth: readonly TruthLine[]): Promise<void> {
    const { people } = this;
    for (const difference of await this.memberDifferences(truth)) {
      const [, list = '', id = ''] = / (\S+) (01[0-9A-Z]{24})/.exec(difference) ?? [];
      // Whoever was removed by hand, or merged, or took somebody over; of whose removal no event tells.
      const isHidden = people.leftOf(id, list)?.isShown === false && !isOnIt(truth, id, list);
      if (!isHidden && !people.heirs.has(id)) this.say(`no source showed that ${difference}`);
    }
    for (const difference of await this.differences(truth)) {
      const [, id = ''] = / (01[0-9A-Z]{24})/.exec(difference) ?? [];
      const isHidden =
        people.goneAt(id) !== null ||
        people.lifted.has(id) ||
        difference.includes('sms_transactional');
      if (!isHidden) this.say(`no source showed that ${difference}`);
    }
  }

  /** When nothing happens any more, after one more whole reading. */
  async settled(truth: readonly TruthLine[], folder: string): Promise<void> {
    const rows = await this.#rows();
    for (const difference of await this.differences(truth)) this.say(difference);
    for (const difference of await this.memberDifferences(truth)) this.say(difference);
    const parquet = await this.#parquetRows(folder);
    const copies = parquet.rows.filter(isPresent);
    for (const difference of differencesOf(copies, truth)) this.say(`in Parquet ${difference}`);
    const members = parquet.members.filter(isCurrent);
    for (const difference of memberDifferences(members, truth, this.people.lists)) {
      this.say(`in Parquet ${difference}`);
    }
    await this.#judgeHistory(rows);
    if (this.judged.erases) await this.#judgeTraces();
  }

  /** What the rows say otherwise than the account. */
  async differences(truth: readonly TruthLine[]): Promise<string[]> {
    return differencesOf((await this.#rows()).filter(isPresent), truth);
  }

  /** What current memberships say otherwise than the account. */
  async memberDifferences(truth: readonly TruthLine[]): Promise<string[]> {
    const current = (await this.#members()).filter(isCurrent);
    return memberDifferences(current, truth, this.people.lists);
  }

  async #judgeHistory(rows: readonly FoundRow[]): Promise<void> {
    const { history } = this.judged;
    const byId = new Map(rows.map((row) => [String(row['profile_id']), row]));
    const last = new Map<string, FoundRow>();
    for (const entry of await this.customer.rows(`select * from ${history} order by id`)) {
      last.set(`${String(entry['profile_id'])} ${String(entry['channel'])}`, entry);
    }
    for (const [key, entry] of last) {
      const [id = '', thing = ''] = key.split(' ');
      const row = byId.get(id);
      if (row === undefined) {
        this.say(`history of ${id}, who has no row`);
        continue;
      }
      const state =
        row['merged_into'] !== null ? 'merged' : row['deleted_at'] !== null ? 'deleted' : 'present';
      const held =
        thing === 'profile' ? state : (row[thing in row ? thing : `${thing}_consent`] ?? null);
      const [said, is] = [entry['new_value'], held].map((value) => shown(thing, value));
      if (said !== is) {
        this.say(
          `the history of ${thing} of ${id} ends with ${String(said)}, the row has ${String(is)}`,
        );
      }
    }
  }

  async #judgeTraces(): Promise<void> {
    const { table, history } = this.judged;
    const rows: { text: string; where: string }[] = [];
    for (const each of [table, history, this.judged.lists, `${table}_sync`]) {
      for (const row of await this.customer.rows(`select * from ${each}`)) {
        const { profile_id: id, merged_into: into, channel } = row;
        const where = `${each}: ${JSON.stringify({ id, into, channel })}`;
        rows.push({ text: JSON.stringify(row).toLowerCase(), where });
      }
    }
    for (const trace of this.people.traces()) {
      const found = rows.find(({ text }) => text.includes(trace.toLowerCase()));
      if (found !== undefined) this.say(`${trace} of a deleted person is still in ${found.where}`);
    }
  }

  async #parquetRows(folder: string): Promise<{ rows: FoundRow[]; members: FoundRow[] }> {
    const { table, history, lists, erases } = this.judged;
    const source = openDestination(this.customer.url, {
      table,
      history,
      lists,
      onDeleted: erases ? 'erase' : 'keep',
      columns: {},
    });
    try {
      const manifest = await exportSnapshot(source, { folder, format: 'parquet', columns: {} });
      const read = async (files: readonly { readonly name: string }[]) => {
        const pages = files.map(async ({ name }) =>
          parquetReadObjects({
            file: await asyncBufferFromFile(join(folder, name)),
            parsers: { timestampFromMicroseconds: timeOf },
          }),
        );
        return (await Promise.all(pages)).flat();
      };
      return {
        rows: await read(manifest.files),
        members: await read(manifest.listMembers?.files ?? []),
      };
    } finally {
      await source.close();
    }
  }

  /** Nobody while the sync has no such table yet. */
  async #members(): Promise<FoundRow[]> {
    return this.hasLists ? this.customer.rows(`select * from ${this.judged.lists}`) : [];
  }

  #rows(): Promise<FoundRow[]> {
    return this.customer.rows(`select * from ${this.judged.table}`);
  }

  async #isReading(): Promise<boolean> {
    const marker = await this.customer
      .rows(`select state from ${this.judged.table}_sync`)
      .catch(() => []);
    const state: unknown = marker[0]?.['state'];
    const { reading = null } = (typeof state === 'string' ? JSON.parse(state) : (state ?? {})) as {
      reading?: object | null;
    };
    return reading !== null;
  }
}

function isOnIt(truth: readonly TruthLine[], id: string, listId: string): boolean {
  return truth.some((line) => line.id === id && line.lists.some((list) => list.id === listId));
}

function isCurrent(row: FoundRow): boolean {
  return row['left_at'] === null;
}

function isPresent(row: FoundRow): boolean {
  return row['deleted_at'] === null && row['merged_into'] === null;
}

function timeOf(micros: bigint): string {
  const day = new Date(Number(micros / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${day}.${String(micros % 1_000_000n).padStart(6, '0')}Z`;
}
