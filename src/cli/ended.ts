import type { ExitCode } from './exit-codes.js';

/** A wrong combination of flags or arguments, which no parser of a single flag can detect. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ends the verb with this exit code; all messages are already written. */
export class Ended extends Error {
  override readonly name = 'Ended';
  constructor(readonly exitCode: ExitCode) {
    super('');
  }
}
