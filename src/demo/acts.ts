import type { Plan, Progress } from '../contracts/migration.js';
import type { ReportedPart } from '../ledger/index.js';
import { MigrationStoppedError } from '../starter/stopped.js';
import type { Report } from '../starter/migrations/report.js';
import type { MigrationRequest } from '../starter/migrations/request/migration-request.js';
import { parseRequest } from '../starter/migrations/request/parse.js';
import { timingOf } from '../starter/migrations/request/timing-settings.js';
import { FILTERED_DOMAIN } from './people.js';
import { LISTS } from './sources.js';
import type { DemoStack } from './stack.js';
import { compareWithTruth, type Difference } from './truth.js';

/** One migration of the demo and its result. */
export interface Act {
  readonly report: Report;
  readonly webUi: string | null;
  /** From the start to the end of the migration. */
  readonly runMs: number;
  /** Reading the account and comparing it. */
  readonly compareMs: number;
  /** Channels of rows that were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

export interface ActScreen {
  onStarted(started: {
    readonly id: string;
    readonly rows: number;
    readonly webUi: string | null;
    readonly confirmWithinMs: number;
  }): void;
  onPlan(plan: Plan): void;
  onProgress(progress: Progress): void;
}

/** From reading a profile until its outcome is in the ledger, even under load. */
const READ_BACK_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** The second act is cancelled half-way, so it is polled often. */
const LOOK_CLOSELY_MS = 200;

/** The main act: e-mail and SMS into a double opt-in list, while people click. */
export const mainRequest = (file: string): MigrationRequest & { listId: string } => ({
  file,
  listId: LISTS.double,
  channels: ['email', 'sms'],
  optIn: 'double',
  undated: 'list_only',
  smsWithoutSender: 'reject',
  timezone: 'UTC',
  customSource: 'Consentry demo, main act',
  timing: { confirmWithinMs: 12_000, readEveryMs: 1_000, readTurnMs: 10_000 },
});

/** The second act: into a single opt-in list, and cancelled after the first accepted job. */
export const secondRequest = (file: string): MigrationRequest & { listId: string } => ({
  file,
  listId: LISTS.single,
  channels: ['email'],
  optIn: 'single',
  undated: 'list_only',
  timezone: 'UTC',
  customSource: 'Consentry demo, second act',
  timing: { confirmWithinMs: 3_000, readEveryMs: 500, readTurnMs: 10_000 },
});

export async function playMain(stack: DemoStack, file: string, screen: ActScreen): Promise<Act> {
  return play(stack, mainRequest(file), screen, LOOK_EVERY_MS, () => Promise.resolve());
}

/**
 * Klaviyo's limit is reached after the first subscribe call. Then the run is cancelled: what was
 * accepted is settled, the rest ends `cancelled`.
 */
export async function playSecond(stack: DemoStack, file: string, screen: ActScreen): Promise<Act> {
  const { sandbox, connected } = stack;
  const carriedBefore = await sandbox.subscribedCount();
  await sandbox.addFault({
    endpoint: 'bulk_subscribe_profiles',
    kind: '429',
    after: 1,
    times: 1_000,
    retryAfter: 30,
  });
  let cancelled = false;
  try {
    return await play(stack, secondRequest(file), screen, LOOK_CLOSELY_MS, async (id) => {
      if (cancelled || (await sandbox.subscribedCount()) === carriedBefore) return;
      cancelled = true;
      await connected.consentry.migrations.cancel(id);
    });
  } finally {
    await sandbox.clearFaults();
  }
}

async function play(
  { connected, sandbox }: DemoStack,
  request: MigrationRequest & { listId: string },
  screen: ActScreen,
  everyMs: number,
  onLook: (id: string) => Promise<void>,
): Promise<Act> {
  const { consentry } = connected;
  const before = await sandbox.truth();
  const carriedBefore = (await sandbox.subscribed()).length;
  const startedAt = new Date();
  const { id, rows } = await consentry.migrations.start(request);
  const { confirmWithinMs } = timingOf(parseRequest(request));
  screen.onStarted({ id, rows, webUi: connected.webUi(id), confirmWithinMs });
  try {
    await consentry.migrations.watch(id, {
      everyMs,
      onPlan: (plan) => screen.onPlan(plan),
      onProgress: async (progress) => {
        screen.onProgress(progress);
        await onLook(id);
      },
    });
  } catch (error) {
    // The report says how it ended, and the comparison is made anyway.
    if (!(error instanceof MigrationStoppedError)) throw error;
  }
  const ended = Date.now();
  const parts = await everyPart(consentry.migrations.parts(id));
  const differences = compareWithTruth({
    listId: request.listId,
    customSource: request.customSource ?? '',
    startedAt,
    readBackWithinMs: READ_BACK_WITHIN_MS,
    parts,
    before,
    after: await sandbox.truth(),
    carried: (await sandbox.subscribed()).slice(carriedBefore),
    messages: await sandbox.messages(),
    droppedDomains: [FILTERED_DOMAIN],
  });
  return {
    report: await consentry.migrations.report(id),
    webUi: connected.webUi(id),
    runMs: ended - startedAt.getTime(),
    compareMs: Date.now() - ended,
    compared: parts.length,
    differences,
  };
}

async function everyPart(pages: AsyncIterable<ReportedPart[]>): Promise<ReportedPart[]> {
  const parts: ReportedPart[] = [];
  for await (const page of pages) parts.push(...page);
  return parts;
}
