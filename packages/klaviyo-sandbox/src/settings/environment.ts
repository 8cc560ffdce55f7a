/**
 * Folder for the exchanges of every sandbox of this process, by `KLAVIYO_SANDBOX_EXCHANGES`;
 * undefined where it is not set. The sandbox's only look at the environment: it stands on its own,
 * also in programs that have no `Config`.
 */
export const exchangesFolder = (): string | undefined =>
  process.env['KLAVIYO_SANDBOX_EXCHANGES'] || undefined;
