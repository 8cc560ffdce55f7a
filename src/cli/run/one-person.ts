import type { Plan } from '../../contracts/migration.js';
import type { ReportedPart } from '../../ledger/index.js';
import type { Connected } from '../../starter/connect.js';
import type { PersonChange } from '../../starter/people/change.js';
import { MigrationStoppedError } from '../../starter/stopped.js';
import { Ended, UsageError } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { exitCodeOfStop } from '../failure.js';
import { personOutcomes, personPlan } from '../render/one-person.js';
import { partRow } from '../report/part-rows.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { typedAt } from './approval.js';

export interface OnePersonFlags {
  /** Send without asking. */
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Does something for one person: shows the plan in a sentence, asks, sends, and reads back.
 *
 * @throws Ended with an exit code, unless it ended well
 */
export async function runOnePerson(
  { consentry }: Connected,
  change: PersonChange,
  flags: OnePersonFlags,
  terminal: Terminal,
): Promise<void> {
  const output = new Output(terminal, flags.json ?? false);
  if (flags.yes !== true && terminal.stdin?.isTTY !== true) {
    throw new UsageError(
      'There is no terminal to ask at: add --yes to send without being asked. Nothing was sent.',
    );
  }
  const { id, attached } = await consentry.people.change({ ...change, approvalAbove: 0 });
  const asked = {
    who: change.person.value,
    listId: change.listId ?? null,
    unsubscribeFrom: change.unsubscribeFrom ?? ('everything' as const),
  };
  let plan: Plan | null = null;
  let isAnswered = false;
  const left = new AbortController();
  process.once('SIGINT', () => left.abort());
  try {
    await consentry.migrations.watch(id, {
      everyMs: 300,
      signal: left.signal,
      onPlan(planned) {
        plan = planned;
        output.say(personPlan(planned, asked));
      },
      async onProgress({ phase }) {
        if (phase !== 'approval' || isAnswered || plan === null) return;
        isAnswered = true;
        const isSent =
          flags.yes === true || plan.toSend.length === 0 || (await isYes(terminal, left.signal));
        if (isSent) await consentry.migrations.approve(id);
        else if (!attached) await consentry.migrations.cancel(id);
      },
    });
  } catch (error) {
    if (!(error instanceof MigrationStoppedError)) throw error;
    output.note(error.message);
    throw new Ended(exitCodeOfStop(error.failureType));
  }
  if (left.signal.aborted) {
    output.note(`Stopped watching. It goes on by itself: consentry report ${id}`);
    throw new Ended(EXIT.interrupted);
  }
  const parts: ReportedPart[] = [];
  for await (const page of consentry.migrations.parts(id)) parts.push(...page);
  output.result({ id, parts: parts.map(partRow) }, personOutcomes(parts));
  if (parts.some(({ outcome }) => outcome === 'cancelled')) throw new Ended(EXIT.cancelled);
}

async function isYes(terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  const typed = await typedAt(terminal, 'Send it? [y/N] ', signal);
  return /^(y|yes)$/i.test(typed?.trim() ?? '');
}
