import { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES, workflowIds } from '../../src/contracts/names.js';
import type { TemporalTarget } from '../../src/runtime/local/temporal/server.js';
import { connectToTemporal } from '../../src/starter/connect.js';

/** The consecutive parts of a run, as the table shows them. */
export const PARTS = ['preflight, read consent', 'plan', 'submit', 'settle'] as const;
export type Part = (typeof PARTS)[number];

/** Milliseconds of each part; for a run that was cut off, only the parts that it reached. */
export type PartTimes = Partial<Record<Part, number>>;

/**
 * Takes the times from the history of a run: its phases are search attributes, and reading the
 * consent that Klaviyo holds is an activity within one of them.
 *
 * @param cutAt when it was cut off (Unix ms); null if it ended
 */
export async function timesOfParts(
  migrationId: string,
  temporal: TemporalTarget,
  cutAt: number | null,
): Promise<PartTimes> {
  const moments = await momentsOf(migrationId, temporal);
  const starts: [Part, number | undefined][] = [
    ['preflight, read consent', moments.get('preflight')],
    ['plan', moments.get('readConsent')],
    ['submit', moments.get('submit')],
    ['settle', moments.get('settle')],
  ];
  const end = moments.get('report') ?? cutAt;
  const times: PartTimes = {};
  for (const [index, [part, began]] of starts.entries()) {
    if (began === undefined) continue;
    // A small run can end before a turn of its reader sees that everything was submitted.
    const next = starts.slice(index + 1).find(([, at]) => at !== undefined)?.[1] ?? end;
    if (next !== null) times[part] = next - began;
  }
  return times;
}

/** When (Unix ms) each phase began, and when `readConsent` ended. */
async function momentsOf(
  migrationId: string,
  temporal: TemporalTarget,
): Promise<Map<string, number>> {
  const connection = await connectToTemporal(temporal);
  try {
    const { workflow } = new Client({ connection, namespace: temporal.namespace });
    const { events } = await workflow.getHandle(workflowIds.migration(migrationId)).fetchHistory();
    const activities = new Map<string, string>();
    const moments = new Map<string, number>();
    for (const event of events ?? []) {
      const at = Number(event.eventTime?.seconds) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
      const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (scheduled) activities.set(String(event.eventId), scheduled);
      const completed = event.activityTaskCompletedEventAttributes?.scheduledEventId;
      const ended = activities.get(String(completed));
      if (ended === 'readConsent') moments.set(ended, at);
      const attributes = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes;
      const phase = attributes?.indexedFields?.[SEARCH_ATTRIBUTES.phase]?.data;
      if (phase) moments.set(JSON.parse(Buffer.from(phase).toString()) as string, at);
    }
    return moments;
  } finally {
    await connection.close();
  }
}
