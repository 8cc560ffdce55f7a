import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  ActivationInput,
  ActivationProgress,
  ActivationResult,
  ActivationState,
  Approved,
  Comparison,
} from '../../contracts/activation.js';
import type { MigrationInput } from '../../contracts/migration.js';
import { workflowIds } from '../../contracts/names.js';
import { enteringOf } from '../../contracts/segments.js';
import { compares, steers } from '../activity-options.js';
import {
  activationProgressQuery,
  approveBrakedSignal,
  approveBrakedUpdate,
  rejectBrakedSignal,
  rejectBrakedUpdate,
} from '../messages.js';
import { consentMigration } from '../migration/consent-migration.js';
import { worksFor } from '../run.js';
import { stateAttributes } from '../search-attributes.js';
import { isCancelled, stopOf } from '../stop.js';
import { describeActivation } from './details.js';

/**
 * One run of a segment: its source is compared with who is in it, and the difference is run as a migration.
 * A run that would do more than its brakes allow waits for a person; the Schedule starts no other meanwhile.
 *
 * Idempotency: the ledger has the run and its comparison in one transaction; a comparison that was made is
 * not made again.
 * Cancel: a run that waits sends nothing; a migration that works is cancelled, and read back, also one whose
 * comparison was just being stored.
 * Events: about 25, and 10 for each answer of a person.
 */
export async function consentActivation(input: ActivationInput): Promise<ActivationResult> {
  const runId = newId();
  const migrationId = newId();
  worksFor({ kind: 'activation', id: runId });
  const step = { ...input, runId };
  let generation = generationBefore();
  let progress: ActivationProgress = {
    runId,
    state: 'comparing',
    found: null,
    migrationId: null,
    why: null,
  };
  const { answered } = handleAnswers(() => progress);
  tell({ state: 'comparing' });

  try {
    let found = await compare(null);
    while (found.braked !== null) {
      // First: whoever reads in the ledger that it waits can answer.
      tell({ state: 'braked', found: found.found, why: found.braked });
      await note('braked', found.braked);
      const answer = await answered();
      if (answer === 'reject') return await end('rejected', 'A person rejected it.');
      // As much as it told, and no more: the source may have moved on.
      found = await compare(approvalOf(found));
    }
    generation = found.generation;
    if (found.rows === 0) {
      tell({ found: found.found });
      return await end('nothing_to_do', null);
    }
    tell({ state: 'running', found: found.found, why: null, migrationId });
    await runMigration({ ...found.input, migrationId }, found.rows);
    return await end('done', null);
  } catch (error) {
    if (typeOf(error) === 'SegmentIsRunning') return end('skipped', stopOf(error).failure);
    const { failure, cause } = stopOf(error);
    await CancellationScope.nonCancellable(() =>
      end(isCancelled(error) ? 'cancelled' : 'failed', failure),
    );
    throw cause;
  }

  function compare(approved: Approved | null): Promise<Comparison> {
    tell({ state: 'comparing', why: null });
    return compares.compareSegment.executeWithOptions(
      { summary: approved === null ? 'read the source and compare' : 'compare, as approved' },
      [
        {
          ...step,
          workflowId: workflowInfo().workflowId,
          migrationId,
          approved,
          after: generation,
        },
      ],
    );
  }

  async function end(state: ActivationState, why: string | null): Promise<ActivationResult> {
    await note(state, why);
    tell({ state, why });
    return { ...progress, generation };
  }

  async function note(state: ActivationState, why: string | null): Promise<void> {
    const { found } = progress;
    await steers.noteActivation.executeWithOptions({ summary: state.replaceAll('_', ' ') }, [
      { ...step, state, found, why },
    ]);
  }

  function tell(now: Partial<ActivationProgress>): void {
    const { state } = progress;
    progress = { ...progress, ...now };
    setCurrentDetails(describeActivation(progress));
    if (progress.state !== state) upsertSearchAttributes(stateAttributes(progress.state));
  }
}

/**
 * Runs the migration of a comparison to its end. It is begun even if this run was cancelled while it compared,
 * and cancelled then: its rows are stored, and get their outcomes.
 */
async function runMigration(input: MigrationInput, rows: number): Promise<void> {
  const { cancelRequested } = CancellationScope.current();
  await CancellationScope.nonCancellable(async () => {
    const scope = new CancellationScope();
    const child = await scope.run(() =>
      startChild(consentMigration, {
        workflowId: workflowIds.migration(input.migrationId),
        args: [input],
        // Its rows have no outcome yet: whoever terminates this run leaves it working.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${rows.toLocaleString('en-US')} rows`,
      }),
    );
    cancelRequested.catch(() => {
      scope.cancel();
    });
    await child.result();
  });
}

/** Takes the answers of people; each is for the comparison that waits, and for no later one. */
function handleAnswers(now: () => ActivationProgress): {
  readonly answered: () => Promise<'approve' | 'reject'>;
} {
  let answer: 'approve' | 'reject' | null = null;
  const mustWait = (): void => {
    const { runId, state } = now();
    if (state !== 'braked') {
      throw new Error(`The run ${runId} does not wait for an answer (${state}).`);
    }
    if (answer !== null) throw new Error(`The run ${runId} has its answer already: ${answer}.`);
  };
  // The first answer stands, also if two people give one before the run goes on.
  const take = (given: 'approve' | 'reject') => () => {
    if (now().state === 'braked') answer ??= given;
  };
  setHandler(activationProgressQuery, now, { description: 'Counts of people, and the state' });
  setHandler(approveBrakedUpdate, take('approve'), {
    description: 'Let it do what it found',
    validator: mustWait,
  });
  setHandler(rejectBrakedUpdate, take('reject'), {
    description: 'End it: nothing is sent',
    validator: mustWait,
  });
  setHandler(approveBrakedSignal, take('approve'), { description: 'Let it do what it found' });
  setHandler(rejectBrakedSignal, take('reject'), { description: 'End it: nothing is sent' });
  return {
    async answered() {
      await condition(() => answer !== null);
      const given = answer ?? 'reject';
      answer = null;
      return given;
    },
  };
}

/** As much as a comparison found. */
function approvalOf({ found, settings }: Comparison): Approved {
  return { settings, enter: enteringOf(found), leave: found.leaving };
}

/** Of the last run of the Schedule; null for the first. */
function generationBefore(): number | null {
  const last = workflowInfo().lastResult as Partial<ActivationResult> | null | undefined;
  return typeof last?.generation === 'number' ? last.generation : null;
}

/** Sorts by day, as ids of migrations do. */
function newId(): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  return `${day}-${uuid4().slice(0, 8)}`;
}

function typeOf(error: unknown): string | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
}
