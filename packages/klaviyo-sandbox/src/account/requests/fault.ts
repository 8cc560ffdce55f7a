import { readDirective, valueOf } from '../../settings/directive.js';

export const FAULT_KINDS = [
  '429',
  '500',
  '502',
  '503',
  '504',
  'reset_before',
  'reset_after',
  'html',
  'truncated',
  'slow',
  'slow_body',
  'revoke_key',
  'delete_list',
  'unsubscribe_person',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/**
 * A failure of the next matching requests.
 *
 * Instead of an answer: `429`, `500`, `502`, `503`, `504`, `html` (a proxy's error page, status
 * 502) and `reset_before` (the connection is cut); nothing is carried out, unless `applied` says
 * so. With the answer: `reset_after` (carried out, then the connection is cut), `truncated` (half
 * the answer, then the connection is cut), `slow` (a wait before it), `slow_body` (the body is sent
 * slowly). To the account: `revoke_key` refuses the key from that request on; `delete_list` deletes
 * `listId`, or every list, before the request is read; `unsubscribe_person` makes somebody opt out.
 */
export interface Fault {
  /** Operation id (`bulk_subscribe_profiles`) or method and path. @default any request */
  endpoint?: string;
  kind: FaultKind;
  /**
   * How many matching requests it hits. @default 1, or all of them if `share` or `forMs` is given
   */
  times?: number;
  /** Matching requests that pass first. @default 0 */
  after?: number;
  /** Share of the matching requests that it hits, 0 to 1, by seeded randomness. @default 1 */
  share?: number;
  /** It ends after this much of Klaviyo's time, in ms. @default never */
  forMs?: number;
  /** Seconds, for `429` and `503`. @default 1 for `429`, no such header on `503` */
  retryAfter?: number;
  /** Real milliseconds, for `slow` and `slow_body`. @default 1000 */
  latencyMs?: number;
  /** For `delete_list`. */
  listId?: string;
  /**
   * Who opts out, for `unsubscribe_person`; nobody while there is no such profile. @default one of
   * the people who are in the request and have a profile, by seeded randomness
   */
  email?: string;
  /** Whether `unsubscribe_person` comes before or after the request is carried out. @default 'before' */
  moment?: 'before' | 'after';
  /** For `500`, `502`, `503`, `504` and `html`: the request is still carried out. @default false */
  applied?: boolean;
}

const FAILURES: readonly FaultKind[] = ['500', '502', '503', '504', 'html'];

/** Fields that only apply to some kinds. */
const FIELDS_OF: Readonly<Record<string, readonly FaultKind[]>> = {
  retryAfter: ['429', '503'],
  latencyMs: ['slow', 'slow_body'],
  listId: ['delete_list'],
  email: ['unsubscribe_person'],
  moment: ['unsubscribe_person'],
  applied: FAILURES,
};
const COUNTERS = ['times', 'after', 'share', 'forMs'];

/**
 * Reads `kind[:endpoint][:name=value,...]`, such as `502:bulk_subscribe_profiles:times=3,after=10`
 * or `429:share=0.2,forMs=60000`.
 *
 * @throws RangeError naming the bad field; the endpoint is checked when the fault is queued
 */
export function parseFault(text: string): Fault {
  const { kind, endpoint, fields } = readDirective(text);
  const values = [...fields].map(([name, value]) => [
    name,
    name === 'listId' || name === 'email' ? value : valueOf(value),
  ]);
  return checkFault({
    ...(endpoint === undefined ? {} : { endpoint }),
    kind,
    ...(Object.fromEntries(values) as object),
  });
}

/** For a single request, so without the fields that count requests. @throws RangeError */
export function parseSingleFault(text: string): Fault {
  const fault = parseFault(text);
  const counter = COUNTERS.find((name) => name in fault);
  if (counter === undefined) return fault;
  throw new RangeError(`the fault of one request has no "${counter}"; leave it out`);
}

/** @throws RangeError naming the bad field */
export function checkFault(given: unknown): Fault {
  const fault = given as Fault;
  if (typeof given !== 'object' || given === null || !FAULT_KINDS.includes(fault.kind)) {
    const kind = String((given as Partial<Fault> | null)?.kind);
    throw new RangeError(`kind must be one of ${FAULT_KINDS.join(', ')}; got ${kind}`);
  }
  for (const name of Object.keys(fault)) {
    const kinds = FIELDS_OF[name];
    if (kinds !== undefined && !kinds.includes(fault.kind)) {
      throw new RangeError(`${name} goes with ${kinds.join(', ')} only, not with ${fault.kind}`);
    }
    if (kinds === undefined && !['kind', 'endpoint', ...COUNTERS].includes(name)) {
      throw new RangeError(`a fault has no field "${name}"`);
    }
  }
  checkNumber('times', fault.times, 1, Number.isInteger);
  checkNumber('after', fault.after, 0, Number.isInteger);
  checkNumber('retryAfter', fault.retryAfter, 1, Number.isInteger);
  checkNumber('forMs', fault.forMs, 0);
  checkNumber('latencyMs', fault.latencyMs, 0);
  const { share, moment, applied } = fault;
  if (share !== undefined && !(typeof share === 'number' && share >= 0 && share <= 1)) {
    throw new RangeError(`share must be a number from 0 to 1, got ${String(share)}`);
  }
  if (moment !== undefined && moment !== 'before' && moment !== 'after') {
    throw new RangeError(`moment must be before or after, got ${String(moment)}`);
  }
  if (applied !== undefined && typeof applied !== 'boolean') {
    throw new RangeError(`applied must be true or false, got ${String(applied)}`);
  }
  return fault;
}

function checkNumber(
  name: string,
  value: number | undefined,
  least: number,
  isGood: (value: unknown) => boolean = Number.isFinite,
): void {
  if (value === undefined || (isGood(value) && value >= least)) return;
  const what = isGood === Number.isInteger ? 'a whole number' : 'a number';
  throw new RangeError(`${name} must be ${what} from ${least}, got ${String(value)}`);
}

export const isAbout = (fault: Fault, endpoint: string, operation: string): boolean =>
  fault.endpoint === undefined || fault.endpoint === endpoint || fault.endpoint === operation;
