import type { Report } from '../../starter/migrations/report.js';
import { counted } from './quantities.js';

/** What the operator may want to do after a run, one line each. */
export function nextSteps({ id, outcomes, parts }: Report): string[] {
  const steps: string[] = [];
  const pending = outcomes.pending_double_opt_in ?? 0;
  if (pending > 0) {
    steps.push(
      `${counted(pending, 'row waits', 'rows wait')} for a click. See later clicks: consentry status ${id}`,
    );
  }
  const unconfirmed = outcomes.unconfirmed ?? 0;
  if (unconfirmed > 0) {
    steps.push(
      `${counted(unconfirmed, 'row was', 'rows were')} accepted but not read back. Try again: consentry retry-failed ${id}`,
    );
  }
  if (parts.some(({ reason }) => reason === 'not_in_pilot')) {
    steps.push(
      `The pilot has ended; nothing else was sent. Send the rest: consentry retry-failed ${id}`,
    );
  }
  return steps.length === 0 ? [] : [steps.join('\n')];
}

/** The next steps for a run that nobody watches. */
export function startedAloneWords(id: string, waitsForApproval: boolean): string {
  const status = `consentry status ${id}`;
  return waitsForApproval
    ? `It plans, and then waits for your approval.\n  see the plan:  ${status}\n  start it:      consentry approve ${id}`
    : `It goes on by itself. See how far it is with: ${status}`;
}
