/** From the oldest to the newest. */
export const REVISIONS = ['2026-07-15', '2026-10-15'] as const;
export type RevisionDate = (typeof REVISIONS)[number];
export const OLDEST: RevisionDate = '2026-07-15';
export const NEWEST: RevisionDate = '2026-10-15';

/** The forms of bodies and answers that differ between revisions. */
export interface Forms {
  /** Consent to click tracking can be given and removed, not only read. */
  readonly clickTrackingIsWritten: boolean;
  /** The place of the profile's `meta` when a push token is registered. */
  readonly pushProfileMeta: 'inside attributes' | 'beside attributes';
  /** A sender's registration has its own URL. */
  readonly registrationsHaveAddresses: boolean;
}

export const FORMS: Readonly<Record<RevisionDate, Forms>> = {
  '2026-07-15': {
    clickTrackingIsWritten: false,
    pushProfileMeta: 'inside attributes',
    registrationsHaveAddresses: false,
  },
  '2026-10-15': {
    clickTrackingIsWritten: true,
    pushProfileMeta: 'beside attributes',
    registrationsHaveAddresses: true,
  },
};
