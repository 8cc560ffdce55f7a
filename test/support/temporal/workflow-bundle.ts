import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundle } from '@temporalio/worker';

/** Our workflows for a worker of the test's own, from sources or built as we are. */
export function bundleWorkflows(
  options: Omit<BundleOptions, 'workflowsPath'>,
): Promise<WorkflowBundle> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const workflows = new URL(`../../../src/workflows/index.${extension}`, import.meta.url);
  return bundleWorkflowCode({ ...options, workflowsPath: fileURLToPath(workflows) });
}
