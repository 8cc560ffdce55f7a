import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { RUN_HEADER, RUN_KINDS, type Run } from '../../contracts/run.js';

/** The run that an activity works for, from the header that its workflow set; null without one. */
export function runOf(headers: Headers): Run | null {
  const payload = headers[RUN_HEADER];
  if (payload === undefined) return null;
  const header = defaultPayloadConverter.fromPayload<Partial<Run> | null>(payload);
  const kind = RUN_KINDS.find((known) => known === header?.kind);
  return kind !== undefined && typeof header?.id === 'string' ? { kind, id: header.id } : null;
}
