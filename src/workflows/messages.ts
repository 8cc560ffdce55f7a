import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { OutcomeCounts, Plan, Progress } from '../contracts/migration.js';
import { MESSAGES } from '../contracts/names.js';

/** Submits nothing more until `resume`; what Klaviyo has already is read back meanwhile. */
export const pauseSignal = defineSignal(MESSAGES.pause);
export const resumeSignal = defineSignal(MESSAGES.resume);

/** Counts only; the same object as the details in the Web UI. */
export const progressQuery = defineQuery<Progress>(MESSAGES.progress);

/** What the run will do; null before it is planned. */
export const planQuery = defineQuery<Plan | null>(MESSAGES.plan);

/** To a job, from the migration's reader: all its rows have an outcome. */
export const settledSignal = defineSignal<[OutcomeCounts]>(MESSAGES.settled);
