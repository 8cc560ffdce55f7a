import type { ExitCode } from './exit-codes.js';

/** A flag or argument that no parser of a single flag can judge. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ends the verb with this code after everything was said. */
export class Ended extends Error {
  override readonly name = 'Ended';
  constructor(readonly exitCode: ExitCode) {
    super('');
  }
}
