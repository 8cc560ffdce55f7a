/** What a listener got and did; without secrets, personal data, or a part of a request. */
export type HookEvent =
  | {
      readonly event: 'received';
      readonly sync: string;
      /** Events in the request, and those of them that no request had told of. */
      readonly events: number;
      readonly fresh: number;
    }
  | { readonly event: 'refused'; readonly status: number; readonly why: string }
  /** A run has begun after the events, whoever started it, and so it reads what they tell of. */
  | { readonly event: 'started'; readonly sync: string; readonly runId: string }
  /** A run that was wanted is not started, or not yet. */
  | { readonly event: 'not_started'; readonly sync: string; readonly why: string }
  /** The ledger does not answer; it is tried again. */
  | { readonly event: 'waiting'; readonly why: string };
