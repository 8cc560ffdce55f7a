import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { RUN_HEADER, RUN_KINDS, type Run } from '../../contracts/run.js';

/** The run that an activity works for, as its workflow says; null where it does not. */
export function runOf(headers: Headers): Run | null {
  const payload = headers[RUN_HEADER];
  if (payload === undefined) return null;
  const said = defaultPayloadConverter.fromPayload<Partial<Run> | null>(payload);
  const kind = RUN_KINDS.find((known) => known === said?.kind);
  return kind !== undefined && typeof said?.id === 'string' ? { kind, id: said.id } : null;
}
