/** One request to the API, without bodies and headers. */
export interface RequestLine {
  /** ISO 8601. */
  at: string;
  method: string;
  /** With its query. */
  path: string;
  /** Null if the connection was cut instead of an answer. */
  status: number | null;
  /** From the request's arrival to the answer, real milliseconds. */
  ms: number;
  /** Kind of the fault that hit it. */
  fault: string | null;
  /** Profiles in an accepted request. */
  profiles: number;
}

/** What only the handler of a request knows about it. */
export type RequestNote = Pick<RequestLine, 'status' | 'fault' | 'profiles'>;

/** How many requests are kept. */
export const TRAIL_LENGTH = 1_000;

/** The latest requests to the API. */
export class RequestTrail {
  #lines: RequestLine[] = [];
  readonly #notes = new WeakMap<Request, RequestNote>();

  note(request: Request, note: RequestNote): void {
    this.#notes.set(request, note);
  }

  /** @param startedAt epoch ms @param status used without a note: no operation was requested */
  add(request: Request, startedAt: number, ms: number, status: number): void {
    const note = this.#notes.get(request);
    const { pathname, search } = new URL(request.url);
    this.#lines.push({
      at: new Date(startedAt).toISOString(),
      method: request.method,
      path: `${pathname}${search}`,
      status: note === undefined ? status : note.status,
      ms: Math.round(ms * 10) / 10,
      fault: note?.fault ?? null,
      profiles: note?.profiles ?? 0,
    });
    if (this.#lines.length >= 2 * TRAIL_LENGTH) this.#lines = this.#lines.slice(-TRAIL_LENGTH);
  }

  /** The last `limit` requests, in the order in which they were answered. */
  latest(limit: number): readonly RequestLine[] {
    const kept = Math.min(limit, TRAIL_LENGTH);
    return kept === 0 ? [] : this.#lines.slice(-kept);
  }

  clear(): void {
    this.#lines = [];
  }
}
