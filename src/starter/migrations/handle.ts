import type { WorkflowHandle } from '@temporalio/client';
import { workflowIds } from '../../contracts/names.js';
import type { consentMigration } from '../../workflows/index.js';
import type { Reach } from '../reach.js';

export function handleOf({ client }: Reach, id: string): WorkflowHandle<typeof consentMigration> {
  return client.workflow.getHandle<typeof consentMigration>(workflowIds.migration(id));
}
