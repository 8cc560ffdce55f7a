/** A process, recognisable after its pid was given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Only to compare; null where the system does not tell. */
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
