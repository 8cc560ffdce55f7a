import { RECORD_CHANNELS } from '../../consent/record/channels.js';
import { LIST_SUPPRESSIONS, SUPPRESSIONS } from '../../consent/record/columns.js';
import { summaryOf, type Lags, type LagSummary } from '../../contracts/sync-lag.js';
import { MEMBERSHIPS } from '../../contracts/sync.js';

/** What Klaviyo dates, so that it is known how late it was noticed. */
const DATED = [...RECORD_CHANNELS, SUPPRESSIONS, LIST_SUPPRESSIONS, MEMBERSHIPS] as const;

export type LagChannel = (typeof DATED)[number];

/** How late changes were noticed, by channel; null where none was. The keys are always the same. */
export type LagStatus = Readonly<Record<LagChannel, LagSummary | null>>;

export function lagStatus(lags: Lags): LagStatus {
  const entries = DATED.map((channel) => [channel, summaryOf(lags[channel])] as const);
  return Object.fromEntries(entries) as LagStatus;
}
