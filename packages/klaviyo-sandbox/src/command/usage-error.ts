/** A flag or a setting is wrong; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
