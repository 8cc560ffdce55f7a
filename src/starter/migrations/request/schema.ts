import { z } from 'zod';
import { consentSettings } from './consent-settings.js';
import { RULES } from './rules.js';
import { runSettings } from './run-settings.js';
import { sourceSettings } from './source-settings.js';
import { asProperty } from './spelling.js';

/** Every setting of a migration. Help, documentation, JSON Schema and types are made from this. */
export const requestShape = { ...sourceSettings, ...consentSettings, ...runSettings };

const { file: _file, ...checkShape } = requestShape;

type CheckShape = z.output<z.ZodObject<typeof checkShape>>;

/** Reports which rules a request breaks; `parse.ts` words them for the caller. */
function keepRules(asked: CheckShape, context: z.RefinementCtx): void {
  for (const rule of RULES) {
    if (!rule.isBroken(asked)) continue;
    const { setting } = rule;
    const message = rule.says(asProperty);
    context.addIssue({ code: 'custom', path: [setting], message, params: { rule } });
  }
}

/** A whole request, as given to `consentry migrate` and `migrations.start`. */
export const requestSchema = z.strictObject(requestShape).superRefine(keepRules);

/** The same without a source. */
export const checkSchema = z.strictObject(checkShape).superRefine(keepRules);

/**
 * The settings of a retry. Waits, batches and approval are given again; it takes the rest from the run
 * whose rows it retries: list, channels, opt-in process, share and source text.
 */
export const retrySchema = z.strictObject(requestShape).pick({
  smsCountries: true,
  approvalAbove: true,
  watchDays: true,
  jobsPerBatch: true,
  timing: true,
});

/** How a run of a program goes. The program has all that says what is true of whom. */
export const runOptionsSchema = z.strictObject(requestShape).pick({
  dryRun: true,
  approvalAbove: true,
  canary: true,
  share: true,
  watchDays: true,
  timing: true,
});

/** A request that was checked, with every default. */
export type FullRequest = z.output<typeof requestSchema>;
export type FullCheck = z.output<typeof checkSchema>;
export type FullRetry = z.output<typeof retrySchema>;
export type FullRunOptions = z.output<typeof runOptionsSchema>;
