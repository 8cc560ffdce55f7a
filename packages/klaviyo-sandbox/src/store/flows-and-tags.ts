/** A flow, as far as a list or segment that starts it shows it. Dates in epoch ms. */
export interface Flow {
  readonly id: string;
  readonly name: string;
  readonly status: 'draft' | 'manual' | 'live';
  readonly archived: boolean;
  readonly created: number;
  readonly updated: number;
}

export interface Tag {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
}
