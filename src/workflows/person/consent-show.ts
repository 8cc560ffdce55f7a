import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { ShowInput } from '../../contracts/person.js';
import { workflowIds } from '../../contracts/names.js';
import { asks } from '../activity-options.js';
import { worksFor } from '../run.js';
import { consentForget } from './consent-forget.js';

/**
 * Reads one person's consent from Klaviyo for somebody without a key. The person and what was read
 * stay in the ledger: Temporal stores only the id of the question.
 *
 * Events: 13.
 */
export async function consentShow({ requestId, forgetAfterMs }: ShowInput): Promise<void> {
  worksFor({ kind: 'person', id: requestId });
  // First, so that nothing is kept longer, whatever happens to the asker.
  await startChild(consentForget, {
    workflowId: workflowIds.forget(requestId),
    args: [{ requestId, forgetAfterMs }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: 'delete the question and its answer',
  });
  await asks.readPerson.executeWithOptions({ summary: 'read one profile' }, [{ requestId }]);
}
