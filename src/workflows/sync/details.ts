import type { SyncProgress } from '../../contracts/sync.js';

/** What a person sees of a running sync in the Web UI. No person is in it. */
export function describeSync({
  phase,
  read,
  added,
  changed,
  removed,
  windows,
  left,
}: SyncProgress): string {
  const figures =
    `${number(read)} profiles read: ${number(added)} added, ${number(changed)} changed, ` +
    `${number(removed)} removed.`;
  const rest =
    left === null ? '' : ` About ${number(left)} are left, in ${number(windows)} windows.`;
  switch (phase) {
    case 'begin':
      return 'Checking the destination and its marker.';
    case 'first':
      return `Reading the whole account for the first time. ${figures}${rest}`;
    case 'sweep':
      return `Reading the whole account again. ${figures}${rest}`;
    case 'gone':
      return `Looking for profiles that are no longer there. ${figures}`;
    case 'changes':
      return `Reading what changed. ${figures}`;
    case 'files':
      return `Writing the files. ${figures}`;
    case 'done':
      return `Done. ${figures}`;
    case 'failed':
      return `Stopped; what was written stays, and the next run goes on there. ${figures}`;
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
