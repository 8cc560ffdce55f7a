import { z } from 'zod';
import { consentSettings } from './consent-settings.js';
import { RULES } from './rules.js';
import { runSettings } from './run-settings.js';
import { sourceSettings } from './source-settings.js';
import { asProperty } from './spelling.js';

/** Every setting of a migration. What help, documentation, JSON Schema and types say comes from here. */
export const requestShape = { ...sourceSettings, ...consentSettings, ...runSettings };

const { file: _file, ...checkShape } = requestShape;

type CheckShape = z.output<z.ZodObject<typeof checkShape>>;

/** Says which rules a request breaks; `parse.ts` words them for the caller. */
function keepRules(asked: CheckShape, context: z.RefinementCtx): void {
  for (const rule of RULES) {
    if (!rule.isBroken(asked)) continue;
    const { setting } = rule;
    const message = rule.says(asProperty);
    context.addIssue({ code: 'custom', path: [setting], message, params: { rule } });
  }
}

/** A whole request: what `consentry migrate` and `migrations.start` are given. */
export const requestSchema = z.strictObject(requestShape).superRefine(keepRules);

/** The same without a source. */
export const checkSchema = z.strictObject(checkShape).superRefine(keepRules);

/** What a retry can still be told; the rest is that of the run whose rows it tries again. */
export const retrySchema = z.strictObject(requestShape).pick({
  smsCountries: true,
  approvalAbove: true,
  watchDays: true,
  jobsPerBatch: true,
  timing: true,
});

/** A request that was checked, with every default. */
export type FullRequest = z.output<typeof requestSchema>;
export type FullCheck = z.output<typeof checkSchema>;
export type FullRetry = z.output<typeof retrySchema>;
