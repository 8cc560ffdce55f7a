import type { Connection } from '@temporalio/client';
import type { Ledger } from '../ledger/index.js';
import { Lists } from './lists/lists.js';
import { Migrations } from './migrations/migrations.js';
import { Activations } from './programs/activation/activations.js';
import { Applying } from './programs/apply/applying.js';
import { People } from './people/people.js';
import { ProgramRuns } from './programs/program-runs.js';
import { Syncs } from './syncs/syncs.js';
import { Webhooks } from './webhooks/webhooks.js';
import { Reach, type ConsentryOptions } from './reach.js';

/**
 * What the CLI does, for scripts. Made by `connect`.
 *
 * @example
 * const { consentry, close } = await connect();
 * const { id } = await consentry.migrations.start({ file: 'people.csv', listId: 'Y6nRLr' });
 * const { phase, outcomes } = await consentry.migrations.waitForEnd(id);
 * await close();
 */
export class Consentry {
  /** Starts, steers and reports migrations. */
  readonly migrations: Migrations;
  /** Answers questions about one person, and changes their consent. */
  readonly people: People;
  /** Creates lists. */
  readonly lists: Lists;
  /** Writes consent into other databases. */
  readonly syncs: Syncs;
  /** Lets Klaviyo’s webhooks start runs of syncs; for the CLI. */
  readonly webhooks: Webhooks;
  /** Runs the programs of a `consentry.yaml`; for the CLI. */
  readonly programs: ProgramRuns;
  /** Compares a `consentry.yaml` with what was applied last; for the CLI. */
  readonly applying: Applying;
  /** Lets segments run by themselves, and steers their runs; for the CLI. */
  readonly activations: Activations;

  constructor(
    connection: Connection,
    namespace: string,
    ledger: Ledger,
    options: ConsentryOptions = {},
  ) {
    const reach = new Reach(connection, namespace, ledger, options);
    this.migrations = new Migrations(reach);
    this.people = new People(reach);
    this.lists = new Lists(reach);
    this.syncs = new Syncs(reach);
    this.webhooks = new Webhooks(reach);
    this.programs = new ProgramRuns(reach);
    this.applying = new Applying(reach);
    this.activations = new Activations(reach, this.programs);
  }
}
