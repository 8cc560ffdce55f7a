/** A setting is missing, wrong, or contradicts another. The message names it as the caller wrote it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
