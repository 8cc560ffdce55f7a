import { sleep } from '@temporalio/workflow';
import type { ForgetInput } from '../../contracts/person.js';
import { steers } from '../activity-options.js';
import { worksFor } from '../run.js';

/** Deletes a question about a person and its answer, if the asker did not fetch it. */
export async function consentForget({ requestId, forgetAfterMs }: ForgetInput): Promise<void> {
  worksFor({ kind: 'person', id: requestId });
  await sleep(forgetAfterMs, { summary: 'time to fetch the answer' });
  await steers.forgetPerson.executeWithOptions({ summary: 'delete question and answer' }, [
    { requestId },
  ]);
}
