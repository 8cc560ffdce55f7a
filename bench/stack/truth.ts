import type { TruthLine } from 'klaviyo-sandbox';
import type { SandboxControl } from '../../src/demo/sandbox-control.js';
import { compareWithTruth, type Difference } from '../../src/demo/truth.js';
import type { ReportedPart } from '../../src/ledger/index.js';
import type { Connected } from '../../src/starter/connect.js';
import { LIST } from './stack.js';

/** From reading a profile until its outcome is in the ledger, even under load. */
const READ_BACK_WITHIN_MS = 10_000;

/** Every difference between the ledger and the sandbox after a run. */
export async function differencesOf(
  { sandbox, connected }: { readonly sandbox: SandboxControl; readonly connected: Connected },
  run: {
    readonly id: string;
    readonly customSource: string;
    readonly startedAt: Date;
    readonly before: readonly TruthLine[];
  },
): Promise<Difference[]> {
  const parts: ReportedPart[] = [];
  for await (const page of connected.consentry.migrations.parts(run.id)) parts.push(...page);
  return compareWithTruth({
    listId: LIST,
    customSource: run.customSource,
    startedAt: run.startedAt,
    readBackWithinMs: READ_BACK_WITHIN_MS,
    parts,
    before: run.before,
    after: await sandbox.truth(),
    carried: await sandbox.subscribed(),
    messages: await sandbox.messages(),
    droppedDomains: [],
  });
}

/** Calls of the API that the sandbox has answered, by operation. */
export async function callsAnswered(sandbox: SandboxControl): Promise<Record<string, number>> {
  const calls = (await sandbox.requests()).map(({ operation, statuses }) => [
    operation,
    Object.values(statuses).reduce((sum, count) => sum + count, 0),
  ]);
  return Object.fromEntries(calls) as Record<string, number>;
}

/** Calls that the sandbox answered with 429, by operation. */
export async function callsThrottled(sandbox: SandboxControl): Promise<Record<string, number>> {
  const throttled = (await sandbox.requests())
    .map(({ operation, statuses }) => [operation, statuses['429'] ?? 0] as const)
    .filter(([, calls]) => calls > 0);
  return Object.fromEntries(throttled);
}

/** When (epoch ms) the last subscribe call was answered; null if there was none. */
export async function lastSubscribeAt(sandbox: SandboxControl): Promise<number | null> {
  const last = (await sandbox.requests()).find(
    ({ operation }) => operation === 'bulk_subscribe_profiles',
  )?.last_at;
  return last === undefined ? null : Date.parse(last);
}

export function totalOf(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}
