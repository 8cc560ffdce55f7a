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
import { answersYes } from './approval.js';

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
  let isApproved = false;
  const left = new AbortController();
  const leave = () => left.abort();
  process.once('SIGINT', leave);
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
          flags.yes === true ||
          plan.toSend.length === 0 ||
          (await answersYes(terminal, 'Send it? [y/N] ', left.signal));
        if (isSent) {
          isApproved = true;
          await consentry.migrations.approve(id);
        } else if (attached || left.signal.aborted) leave();
        else await consentry.migrations.cancel(id);
      },
    });
  } catch (error) {
    if (!(error instanceof MigrationStoppedError)) throw error;
    output.note(error.message);
    throw new Ended(exitCodeOfStop(error.failureType));
  } finally {
    process.off('SIGINT', leave);
  }
  if (left.signal.aborted) {
    // Nobody else would approve or cancel it.
    if (!isApproved && !attached) await consentry.migrations.cancel(id);
    output.note(whatBecomes(id, { isApproved, attached }));
    throw new Ended(EXIT.interrupted);
  }
  const parts: ReportedPart[] = [];
  for await (const page of consentry.migrations.parts(id)) parts.push(...page);
  output.result({ id, parts: parts.map(partRow) }, personOutcomes(parts));
  if (parts.some(({ outcome }) => outcome === 'cancelled')) throw new Ended(EXIT.cancelled);
}

/** What becomes of a run that is left. @param attached somebody else has asked for the same before */
function whatBecomes(
  id: string,
  { isApproved, attached }: { readonly isApproved: boolean; readonly attached: boolean },
): string {
  if (isApproved) return `Stopped watching. It goes on by itself: consentry report ${id}`;
  return attached
    ? `It was asked for before, and is not cancelled. If it waits: consentry approve ${id}, or consentry cancel ${id}`
    : 'Cancelled: nothing was sent.';
}
