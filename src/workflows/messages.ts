import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ActivationProgress } from '../contracts/activation.js';
import type { OutcomeCounts, Plan, Progress, WatchProgress } from '../contracts/migration.js';
import type { SyncProgress } from '../contracts/sync.js';
import { MESSAGES } from '../contracts/names.js';

/**
 * Submits nothing more until `resume`; what Klaviyo already has is read back meanwhile. The
 * argument is the number of the instruction if it is already in the ledger; a person gives none.
 */
export const pauseSignal = defineSignal<[string?]>(MESSAGES.pause);
export const resumeSignal = defineSignal<[string?]>(MESSAGES.resume);

/** Starts a run that waits for approval; rejected at any other time. */
export const approveUpdate = defineUpdate<void>(MESSAGES.approve);

/** Lets a run of a segment that is braked do what it found; rejected at any other time. */
export const approveBrakedUpdate = defineUpdate<void>(MESSAGES.approve);

/** Ends a run of a segment that is braked: nothing is sent; rejected at any other time. */
export const rejectBrakedUpdate = defineUpdate<void>(MESSAGES.reject);

/** The same as signals, for the Web UI; at any other time they do nothing. */
export const approveBrakedSignal = defineSignal(MESSAGES.approve);
export const rejectBrakedSignal = defineSignal(MESSAGES.reject);

/** The progress of a `consentActivation`. */
export const activationProgressQuery = defineQuery<ActivationProgress>(MESSAGES.progress);

/** Part of the account's limits: above 0, at most 1. */
export const setShareUpdate = defineUpdate<void, [number]>(MESSAGES.setShare);

/** Counts only; the same object as the details in the Web UI. */
export const progressQuery = defineQuery<Progress>(MESSAGES.progress);

/** The progress of a `confirmationWatch`. */
export const watchProgressQuery = defineQuery<WatchProgress>(MESSAGES.progress);

/** The progress of a `consentSync`. */
export const syncProgressQuery = defineQuery<SyncProgress>(MESSAGES.progress);

/** What the run will do; null before it is planned. */
export const planQuery = defineQuery<Plan | null>(MESSAGES.plan);

/** From a worker: why the run's calls wait until somebody acts; null when they no longer wait. */
export const heldSignal = defineSignal<[string | null]>(MESSAGES.held);

/** From the reader: so many jobs of the run have nothing left to send. */
export const pastSubmitSignal = defineSignal<[number]>(MESSAGES.pastSubmit);

/** From a failed job: the run is stopped, and nothing more of it is started. */
export const stoppedSignal = defineSignal(MESSAGES.stopped);

/** To a job, from the migration's reader: all its rows have an outcome. */
export const settledSignal = defineSignal<[OutcomeCounts]>(MESSAGES.settled);

/** To a job that may wait: check the ledger again whether the run is paused or stopped. */
export const resumedSignal = defineSignal(MESSAGES.resumed);
