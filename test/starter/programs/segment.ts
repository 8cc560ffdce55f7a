import assert from 'node:assert/strict';
import { WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../../src/contracts/names.js';
import type { RunOptions } from '../../../src/starter/migrations/request/migration-request.js';
import { loadPrograms, type Programs } from '../../../src/starter/programs/load.js';
import type { PreparedRun, StartedProgram } from '../../../src/starter/programs/program-runs.js';
import { SINGLE, type Harness } from '../../support/harness.js';
import { TEST_TIMING } from '../../support/settings.js';
import { until, type Waiting } from '../../workflows/phases.js';

/** Everybody is read back before a run ends, so nobody has to be watched for long after it. */
export const SOON_OVER = { ...TEST_TIMING, appliedWithinMs: 200 };

export const HEADER = 'member_id,email,phone_number';

const SINGLE_LIST = `list: ${SINGLE}, opt_in: single`;

/** How a segment is made for a test. */
export interface SegmentOptions {
  readonly file?: string;
  readonly list?: string;
  readonly header?: string;
}

let segments = 0;

/** A segment of its own, whose people are given at each run. */
export class Segment {
  /** Tests share a Temporal server, and its Schedules. */
  readonly name = `vip${process.pid}${String(++segments).padStart(3, '0')}`;
  readonly file: string;
  readonly #list: string;
  readonly #header: string;

  constructor(
    readonly harness: Harness,
    public settings: string,
    { file, list = SINGLE_LIST, header = HEADER }: SegmentOptions = {},
  ) {
    this.file = file ?? `${this.name}.csv`;
    this.#list = list;
    this.#header = header;
  }

  /** @param lines its people, without the header */
  async has(...lines: string[]): Promise<void> {
    await this.harness.source(this.file, [this.#header, ...lines]);
  }

  async load(settings = this.settings, file = this.file, list = this.#list): Promise<Programs> {
    const path = await this.harness.source('consentry.yaml', [
      'version: 1',
      'accounts: { shop: {} }',
      'programs:',
      `  ${this.name}: { account: shop, source: { file: ${file} }, ${list}, ${settings} }`,
    ]);
    return loadPrograms(path, { HOOK: 'http://127.0.0.1:9/' });
  }

  async prepare(options: RunOptions = {}, loaded?: Programs): Promise<PreparedRun> {
    const of = loaded ?? (await this.load());
    const [program] = of.programs;
    assert.ok(program !== undefined);
    return this.harness.consentry.programs.prepare(of, program, { timing: SOON_OVER, ...options });
  }

  async start(
    options: RunOptions & { readonly beyondBrakes?: boolean } = {},
    loaded?: Programs,
  ): Promise<StartedProgram> {
    const { beyondBrakes = false, ...asked } = options;
    const prepared = await this.prepare(asked, loaded);
    return this.harness.consentry.programs.start({ ...prepared, beyondBrakes });
  }

  /** Runs it to its end, and until nobody is watched for an opt-out any more. */
  async run(options: { readonly beyondBrakes?: boolean } = {}, loaded?: Programs) {
    const { started, found } = await this.start(options, loaded);
    assert.ok(found !== null);
    if (started === null) return { ...found, outcomes: {} };
    const { migrations } = this.harness.consentry;
    await migrations.waitForEnd(started.id);
    const { outcomes } = await migrations.report(started.id);
    const watch = this.harness.client.workflow.getHandle(workflowIds.optOutWatch(started.id));
    await watch.result().catch((error: unknown) => {
      // A run that subscribes nobody has none.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
    return { ...found, outcomes };
  }

  /** Starts a run that is cancelled before it sends anything. */
  async cancelled(how: { readonly beyondBrakes?: boolean } = {}): Promise<string> {
    const { started } = await this.start({ ...how, approvalAbove: 0 });
    assert.ok(started?.waitsForApproval === true);
    const { migrations } = this.harness.consentry;
    await migrations.cancel(started.id);
    await migrations.waitForEnd(started.id);
    return started.id;
  }
}

/** What Klaviyo has of people who are known by their addresses. */
export function peopleOf({ sandbox }: Harness) {
  const seed = (email: string, consent: 'SUBSCRIBED' | 'UNSUBSCRIBED' | 'NEVER_SUBSCRIBED') =>
    sandbox.account.seed({ email, email_consent: consent });
  const truthOf = (email: string) => sandbox.account.truthFor({ email });
  return {
    seed,
    known: (...emails: readonly string[]) => {
      for (const email of emails) seed(email, 'NEVER_SUBSCRIBED');
    },
    consentOf: (email: string): string | null =>
      truthOf(email)?.subscriptions.email.marketing.consent ?? null,
    isOnList: (email: string, list = SINGLE): boolean =>
      truthOf(email)?.lists.some(({ id }) => id === list) ?? false,
  };
}

/** A Schedule that has not noticed the end of a run yet says nothing of it. */
const TRIGGERED_AGAIN_MS = 3_000;

/**
 * Lets the Schedule of a segment start a run, and waits until that waits for an answer or has ended.
 *
 * @param before the newest run before; null if there was none
 */
export async function nextRun(
  harness: Harness,
  program: string,
  before: string | null,
  waiting?: Waiting,
): Promise<void> {
  const schedule = harness.client.schedule.getHandle(
    workflowIds.activation(harness.accountId, program),
  );
  // Until the Schedule has noticed the end of the last run, it skips another.
  const isOver = async (): Promise<boolean> => {
    const { info } = await schedule.describe();
    return info.runningActions.length === 0;
  };
  await until('the end of the last run', isOver, waiting);
  let triggeredAt = -Infinity;
  const hasRun = async (): Promise<boolean> => {
    const { runs } = await harness.consentry.activations.status(program);
    if (runs[0] !== undefined && runs[0].id !== before) return true;
    if (performance.now() - triggeredAt > TRIGGERED_AGAIN_MS) {
      triggeredAt = performance.now();
      await harness.consentry.activations.trigger(program);
    }
    return false;
  };
  await until('a run of the Schedule', hasRun, waiting);
  await untilAnswerable(harness, program, before, waiting);
}

/** Waits until there is another run, which waits for an answer or has ended. */
export async function untilAnswerable(
  { consentry }: Harness,
  program: string,
  before: string | null,
  waiting?: Waiting,
): Promise<void> {
  const isAnswerable = async (): Promise<boolean> => {
    const { runs } = await consentry.activations.status(program);
    const [newest] = runs;
    return (
      newest !== undefined &&
      newest.id !== before &&
      !['comparing', 'running'].includes(newest.state)
    );
  };
  await until('a run that waits or has ended', isAnswerable, waiting);
}
