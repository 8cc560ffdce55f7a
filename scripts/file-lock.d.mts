/** A process that can still be identified after its pid was reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Only for comparison; null if the system does not say. */
  readonly startedAt: string | null;
}

export function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options?: { onWait?: (ownerPid: number | null) => void },
): Promise<T>;
export function thisProcess(): ProcessIdentity;
export function isRunning(identity: ProcessIdentity): boolean;
export function startedAt(pid: number): string | null;
