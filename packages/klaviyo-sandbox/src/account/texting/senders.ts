/** Senders of text messages and their registrations, as the beta API knows them. */
export const SENDER_TYPES = [
  'alpha',
  'long_code',
  'short_code',
  'toll_free',
  'vanity_short_code',
] as const;
export type SenderType = (typeof SENDER_TYPES)[number];

export const SENDER_STATUSES = [
  'active',
  'pending_registration',
  'registering',
  'registration_failed',
  'suspended',
] as const;
export type SenderStatus = (typeof SENDER_STATUSES)[number];

export type RegistrationStatus = 'action_required' | 'approved' | 'in_review' | 'rejected';

/** Dates in epoch ms. */
export interface Registration {
  readonly id: string;
  readonly senderId: string;
  status: RegistrationStatus;
  /** What the carrier objected to. */
  failures: readonly string[];
  readonly createdAt: number;
  updatedAt: number;
  submittedAt: number | null;
  decidedAt: number | null;
}

export interface Sender {
  readonly id: string;
  readonly type: SenderType;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  status: SenderStatus;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly forwardingNumber: string | null;
  /** The sender shown on texts; null until it is registered. */
  identifier: string | null;
  /** Toll-free numbers have one; the latest if it was resubmitted. */
  registration: Registration | null;
}

/** Status of the registration while the sender is in this state. */
const REGISTRATION_OF: Readonly<Record<SenderStatus, RegistrationStatus>> = {
  active: 'approved',
  suspended: 'approved',
  registering: 'in_review',
  pending_registration: 'action_required',
  registration_failed: 'rejected',
};

/** Moves a sender, its registration and its number to `status`, as of `now` (epoch ms). */
export function decide(
  sender: Sender,
  status: SenderStatus,
  failures: readonly string[],
  identifier: string | null,
  now: number,
): void {
  sender.status = status;
  const registered = status === 'active' || status === 'suspended';
  sender.identifier = registered ? (sender.identifier ?? identifier) : null;
  const { registration } = sender;
  if (registration === null) return;
  const reached = REGISTRATION_OF[status];
  const decided = reached === 'approved' || reached === 'rejected';
  if (registration.status !== reached) registration.decidedAt = decided ? now : null;
  registration.status = reached;
  registration.failures = reached === 'approved' || reached === 'in_review' ? [] : failures;
  registration.submittedAt =
    reached === 'action_required' ? null : (registration.submittedAt ?? now);
  registration.updatedAt = now;
}
