import type { ColumnValue } from '../../src/consent/record/columns.js';
import type {
  Batch,
  DestinationTables,
  Gone,
  Marker,
  ReadRecord,
} from '../../src/destinations/destination.js';

export const TABLES: DestinationTables = {
  table: 'klaviyo_consent',
  history: 'klaviyo_consent_history',
  onDeleted: 'keep',
  columns: {},
};

/** A subscriber of both channels. */
export function subscriber(
  profileId: string,
  stated: Readonly<Record<string, ColumnValue>> = {},
): ReadRecord {
  return {
    profileId,
    stated: {
      email: `${profileId.toLowerCase()}@example.com`,
      phone_number: '+12015550123',
      external_id: null,
      email_marketing_consent: 'SUBSCRIBED',
      email_marketing_consent_timestamp: '2026-01-02T03:04:05.000006Z',
      email_marketing_last_updated: '2026-01-02T03:04:05.100000Z',
      email_marketing_method: 'FORM',
      email_marketing_double_optin: true,
      email_marketing_can_receive: true,
      email_marketing_suppressions: '[]',
      email_marketing_list_suppressions:
        '[{"list_id":"XyZ123","reason":"USER_SUPPRESSED","timestamp":"2026-01-01T00:00:00.000001Z"}]',
      sms_marketing_consent: 'SUBSCRIBED',
      sms_marketing_consent_timestamp: '2025-12-31T23:59:59.999999Z',
      sms_marketing_can_receive: true,
      ...stated,
    },
  };
}

/** What Klaviyo states of somebody who unsubscribed from e-mail. */
export const UNSUBSCRIBED = {
  email_marketing_consent: 'UNSUBSCRIBED',
  email_marketing_consent_timestamp: '2026-03-01T00:00:00.000001Z',
  email_marketing_can_receive: false,
  email_marketing_suppressions:
    '[{"reason":"UNSUBSCRIBE","timestamp":"2026-03-01T00:00:00.000001Z"}]',
} as const;

/** A datetime of the day of the tests. */
export function at(time: string): string {
  return `2026-11-27T${time}:00Z`;
}

export function batchOf(
  records: readonly ReadRecord[],
  { gone = [], ...others }: Partial<Omit<Batch, 'records'>> & { gone?: readonly Gone[] } = {},
): Batch {
  return {
    records,
    gone,
    readAt: at('10:00'),
    noticedBy: 'events',
    isFirst: false,
    ...others,
  };
}

export function markerAt(generation: number, others: Partial<Marker> = {}): Marker {
  return {
    syncId: 'nightly',
    accountId: 'AbC123',
    generation,
    runId: `run-${generation}`,
    sweptAt: null,
    state: { windows: [{ from: '2020-01-01', done: false }] },
    ...others,
  };
}
