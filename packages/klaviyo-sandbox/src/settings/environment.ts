/**
 * Folder for the exchanges of every sandbox of this process, from `KLAVIYO_SANDBOX_EXCHANGES`;
 * undefined if it is not set. The sandbox reads nothing else from the environment: it is
 * independent, also in programs that have no `Config`.
 */
export const exchangesFolder = (): string | undefined =>
  process.env['KLAVIYO_SANDBOX_EXCHANGES'] || undefined;
