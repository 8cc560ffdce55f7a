import type { ReportedPart } from '../ledger/index.js';
import { RunTruth, type Comparison, type Difference } from './run-truth.js';

export type { Comparison, Difference } from './run-truth.js';

/** Every difference between the ledger and the account; empty if the ledger is right. */
export function compareWithTruth(comparison: Comparison): Difference[] {
  const run = new RunTruth(comparison);
  const differences: Difference[] = [];
  for (const part of comparison.parts) {
    const what = differenceOf(part, run);
    if (what === null) continue;
    const { line, channel, outcome } = part;
    differences.push({ line, channel, outcome, who: part.email ?? part.phoneNumber ?? '?', what });
  }
  return [...differences, ...run.beyondTheRows()];
}

function differenceOf(part: ReportedPart, run: RunTruth): string | null {
  switch (part.outcome) {
    case null:
      return 'it has no outcome';
    case 'confirmed':
      return confirmed(part, run);
    case 'pending_double_opt_in':
      return pending(part, run);
    case 'unconfirmed':
      return unconfirmed(part, run);
    case 'already_consented':
      return alreadyConsented(part, run);
    case 'skipped_opted_out':
      return skipped(part, run);
    case 'list_only':
      return listOnly(part, run);
    case 'rejected':
    case 'cancelled':
      return notSent(part, run);
  }
}

function confirmed(part: ReportedPart, run: RunTruth): string | null {
  const now = run.now(part);
  if (part.operation === 'unsubscribe') {
    return now.consent === 'UNSUBSCRIBED' ? null : `the account says ${now.consent}`;
  }
  if (part.operation === 'suppress')
    return now.suppressed ? null : 'the account does not suppress it';
  if (part.operation === 'unsuppress')
    return now.suppressedByHand ? 'the account still suppresses it by hand' : null;
  if (part.operation === 'remove_from_list') return run.isMember(part) ? 'it is on the list' : null;
  if (now.consent !== 'SUBSCRIBED') return `the account says ${now.consent}`;
  if (!run.wasCarried(part)) return 'no accepted subscribe call carried it';
  return run.isOurs(part, now) ? null : 'the consent is not from this run';
}

function pending(part: ReportedPart, run: RunTruth): string | null {
  if (part.reason === 'asked_already') {
    if (run.wasCarried(part)) return 'a subscribe call carried it';
    return run.wasOpenWhenRead(part) ? null : 'the account had the consent before it was read';
  }
  if (!run.wasCarried(part)) return 'no accepted subscribe call carried it';
  if (!run.wasOpenWhenRead(part)) return 'the account had the consent before it was read back';
  if (run.isDropped(part) || run.wasMessaged(part)) return null;
  return 'no double opt-in message was sent';
}

function unconfirmed(part: ReportedPart, run: RunTruth): string | null {
  if (part.channel === 'list') {
    const isOn = run.isMember(part);
    if (part.operation === 'remove_from_list') return isOn ? null : 'it is not on the list';
    return isOn ? 'it is on the list' : null;
  }
  if (part.channel === 'suppression') {
    const isDone = run.now(part).suppressedByHand === (part.operation === 'suppress');
    return isDone ? 'the account has done it' : null;
  }
  if (!run.wasCarried(part)) return 'no accepted subscribe call carried it';
  // The person was subscribed after an opt-out, and no reading shows them unsubscribed again.
  if (part.reason === 'opt_out_not_read_back') return null;
  return run.wasOpenWhenRead(part) ? null : 'the account had the consent before it was read back';
}

function alreadyConsented(part: ReportedPart, run: RunTruth): string | null {
  const now = run.now(part);
  if (now.consent !== 'SUBSCRIBED') return `the account says ${now.consent}`;
  if (run.then(part).optedOut) return 'the account held an opt-out';
  if (now.at === null || now.at >= run.startedAtMs) return 'the consent is from after the start';
  if (run.wasCarried(part)) return 'a subscribe call carried it';
  return now.mark === run.then(part).mark ? null : 'its consent changed';
}

function skipped(part: ReportedPart, run: RunTruth): string | null {
  if (part.reason === 'opted_out_during_run' || part.reason === 'unsubscribed_again') {
    return saidNoMeanwhile(part, run);
  }
  const now = run.now(part);
  const then = run.then(part);
  if (!then.optedOut) return 'the account held no opt-out';
  if (now.mark !== then.mark) return 'its consent changed';
  if (part.channel === 'list' && run.isMember(part) && !run.wasMember(part)) {
    return 'it was added to the list';
  }
  return run.wasCarried(part) ? 'a subscribe call carried it' : null;
}

function saidNoMeanwhile(part: ReportedPart, run: RunTruth): string | null {
  const now = run.now(part);
  if (!now.optedOut) return `the account says ${now.consent}`;
  if (part.reason === 'unsubscribed_again') {
    return run.wasCarried(part) ? null : 'no accepted subscribe call carried it';
  }
  // Left out of its call, by what the ledger knew: only then was surely nothing sent.
  if (part.settledBy !== 'opt_outs' || run.isAskedByAnotherRow(part)) return null;
  return run.wasCarried(part) ? 'a subscribe call carried it' : null;
}

function listOnly(part: ReportedPart, run: RunTruth): string | null {
  if (!run.isMember(part)) return 'it is not on the list';
  // People who consented to texts can be on the list anyway.
  if (run.then(part).optedOut && !run.wasMember(part)) return 'the account held an opt-out';
  if (run.isAskedByAnotherRow(part)) return null;
  if (run.wasCarried(part)) return 'a subscribe call carried it';
  return run.now(part).mark === run.then(part).mark ? null : 'its consent changed';
}

function notSent(part: ReportedPart, run: RunTruth): string | null {
  const repeats = part.reason === 'duplicate_email' || part.reason === 'duplicate_phone';
  if (repeats && !run.hasAnotherRow(part)) return 'no other row asks for it';
  if (part.reason === 'newer_statement_refused' && !run.hasAnotherStatement(part)) {
    return 'no other row says anything of the person';
  }
  if (run.isAskedByAnotherRow(part)) return null;
  if (run.wasCarried(part)) return 'a subscribe call carried it';
  if (part.channel === 'list') {
    return run.isMember(part) && !run.wasMember(part) ? 'it was added to the list' : null;
  }
  return run.now(part).mark === run.then(part).mark ? null : 'its consent changed';
}
