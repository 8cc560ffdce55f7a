import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { OutcomeCounts, Plan, Progress, WatchProgress } from '../contracts/migration.js';
import { MESSAGES } from '../contracts/names.js';

/**
 * Submits nothing more until `resume`; what Klaviyo has already is read back meanwhile. Its argument is
 * the number of the word where the ledger has been told already; a person gives none.
 */
export const pauseSignal = defineSignal<[string?]>(MESSAGES.pause);
export const resumeSignal = defineSignal<[string?]>(MESSAGES.resume);

/** Lets a run start that waits for approval; refused at any other time. */
export const approveUpdate = defineUpdate<void>(MESSAGES.approve);

/** Above 0 to 1, of the account's limits. */
export const setShareUpdate = defineUpdate<void, [number]>(MESSAGES.setShare);

/** Counts only; the same object as the details in the Web UI. */
export const progressQuery = defineQuery<Progress>(MESSAGES.progress);

/** How a `confirmationWatch` stands. */
export const watchProgressQuery = defineQuery<WatchProgress>(MESSAGES.progress);

/** What the run will do; null before it is planned. */
export const planQuery = defineQuery<Plan | null>(MESSAGES.plan);

/** From a worker: why the calls of the run wait for a person; null when they do not any more. */
export const heldSignal = defineSignal<[string | null]>(MESSAGES.held);

/** To a job, from the migration's reader: all its rows have an outcome. */
export const settledSignal = defineSignal<[OutcomeCounts]>(MESSAGES.settled);

/** To a job that may wait: ask the ledger again whether the run is paused or over. */
export const resumedSignal = defineSignal(MESSAGES.resumed);
