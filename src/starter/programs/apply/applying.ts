import type { CreatedList } from '../../../contracts/lists.js';
import {
  appliedPrograms,
  forgetApplied,
  getMigration,
  listAccounts,
  noteApplied,
  runningOfProgram,
  segmentPeople,
} from '../../../ledger/index.js';
import { executeList } from '../../lists/execute-list.js';
import { Lists } from '../../lists/lists.js';
import { SettingsError } from '../../migrations/request/settings-error.js';
import type { RunOptions } from '../../migrations/request/migration-request.js';
import type { Reach } from '../../reach.js';
import type { Programs } from '../load.js';
import { resumeOff, startOff, type StartedOff } from '../off/start-off.js';
import type { Program } from '../program.js';
import { changesOf, type ProgramChange } from './changes.js';
import { stateOf } from './state.js';

/** A change, and where it is. */
export interface FoundChange extends ProgramChange {
  /** Name of the account in the file, and Klaviyo's id. */
  readonly account: string;
  readonly accountId: string;
  /** Null if the file no longer has it. */
  readonly of: Program | null;
  /**
   * People of its segment, which ends: it keeps nobody any more whom another segment lets go. Null if none
   * ends.
   */
  readonly endsSegment: number | null;
}

/** Compares a `consentry.yaml` with what was applied last, and records what is. */
export class Applying {
  constructor(private readonly reach: Reach) {}

  /**
   * How each program differs from what was applied last, account by account. Reads the ledger alone.
   *
   * @throws SettingsError if it is not clear which account a program is for
   * @throws NoWorkerError
   */
  async changes({ file, programs }: Programs): Promise<FoundChange[]> {
    const found: FoundChange[] = [];
    for (const [account, { id = null }] of Object.entries(file.settings.accounts)) {
      const own = programs.filter((program) => program.account.name === account);
      // Without programs and an id, it may be the account of another name.
      if (id === null && own.length === 0 && programs.length > 0) continue;
      const accountId = await this.#idOf(file.path, account, id);
      const named = own.map((program) => ({
        name: program.name,
        off: program.off,
        ...stateOf(program),
      }));
      const applied = await appliedPrograms(this.reach.ledger.db, accountId);
      const segments = await segmentPeople(this.reach.ledger.db, accountId);
      for (const change of changesOf(named, applied)) {
        const { program } = change;
        const of = own.find(({ name }) => name === program) ?? null;
        // Whom a run of any kind is about to give consent is not known before its end.
        const running =
          change.off === null || change.running !== null
            ? change.running
            : await runningOfProgram(this.reach.ledger.db, accountId, program);
        const ends = change.change === 'removed' || change.change === 'switched_off';
        const endsSegment = ends ? (segments.get(program) ?? null) : null;
        found.push({ ...change, running, account, accountId, of, endsSegment });
      }
    }
    return found;
  }

  /**
   * Whether the account has the list of a program by its name. Creates nothing.
   *
   * @throws MigrationStoppedError if the name is taken by a list with another process or by several
   */
  async hasList(program: Program): Promise<boolean> {
    const { name, optIn } = listOf(program);
    const list = { name, optInProcess: `${optIn}_opt_in`, createsIt: false } as const;
    return (await executeList(this.reach, program.account.id, list)) !== null;
  }

  /**
   * Whether the file says on purpose that the list of a program is created: the name of any other list
   * that is not there is a mistake. A segment for which the file names no list has one of its own.
   */
  creates({ file }: Programs, { account, list, segment }: Program): boolean {
    if (segment !== null && list.from === 'built in') return true;
    const { create_lists: names = [] } = file.settings.accounts[account.name] ?? {};
    return list.value !== null && names.includes(list.value);
  }

  /** Creates the list of a program, unless it is there. Throws what `Lists.create` throws. */
  createList(program: Program): Promise<CreatedList> {
    return new Lists(this.reach).create({ ...listOf(program), account: program.account.id });
  }

  /**
   * Starts the run that unsubscribes people of channels that were switched off. It is recorded together
   * with the run. Throws what `startOff` throws.
   */
  async startOff(
    loaded: Programs,
    found: FoundChange,
    options: RunOptions = {},
    onRows?: (rows: number) => void,
  ): Promise<StartedOff> {
    const { of: program, accountId, off } = found;
    if (program === null || off === null) return { started: null, alsoAsked: [] };
    return startOff(this.reach, { loaded, program, accountId, off }, options, onRows);
  }

  /** Starts such a run that was recorded, but not started: its process died in between. */
  async resumeOff(loaded: Programs, { of, accountId, offRunning }: FoundChange): Promise<void> {
    if (of === null || offRunning === null) return;
    const { settings } = await getMigration(this.reach.ledger.db, offRunning);
    const people = settings.onlyGiven === undefined ? 'unsubscribe_all' : 'unsubscribe_given';
    const off = { people, channels: settings.channels } as const;
    await resumeOff(this.reach, { loaded, program: of, accountId, off }, offRunning);
  }

  /** Records a change for which nothing is run. */
  async note({ accountId, program, of }: FoundChange): Promise<void> {
    const { db } = this.reach.ledger;
    if (of === null) return forgetApplied(db, accountId, program);
    await noteApplied(db, accountId, { program, ...stateOf(of), migrationId: null });
  }

  async #idOf(path: string, account: string, id: string | null): Promise<string> {
    if (id !== null) return id;
    const known = await listAccounts(this.reach.ledger.db);
    if (known.length > 1) {
      throw new SettingsError(
        `Workers for ${known.length} Klaviyo accounts use this ledger: say which one accounts.${account} ` +
          `of ${path} is with its id (${[...known].sort().join(', ')}).`,
      );
    }
    return (await this.reach.workersOf(null)).accountId;
  }
}

/** @throws SettingsError if its list cannot be created */
function listOf({ name: program, list, optIn }: Program): {
  readonly name: string;
  readonly optIn: 'single' | 'double';
} {
  if (list.value !== null && optIn.value !== null) {
    return { name: list.value, optIn: optIn.value };
  }
  throw new SettingsError(
    `The account has no list "${list.value ?? ''}", and programs.${program} does not say with which opt-in process ` +
      'to create it: give its opt_in, or correct its list.',
  );
}
