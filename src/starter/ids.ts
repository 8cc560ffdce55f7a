import { randomBytes } from 'node:crypto';
import { workflowIds } from '../contracts/names.js';

/** Sorts by day and says nothing about the source: Temporal shows ids as plain text everywhere. */
export function newId(): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  return `${day}-${randomBytes(4).toString('hex')}`;
}

export function ids(id: string): { id: string; workflowId: string } {
  return { id, workflowId: workflowIds.migration(id) };
}
