/** The parts of a flow that its list or segment shows. Dates in epoch ms. */
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
