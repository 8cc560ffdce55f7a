/** Not a secret: anyone who can reach a sandbox may use it. */
export const SANDBOX_KEY = 'pk_sandbox';

/** Lists of a sandbox; the same at every start, so that commands can be repeated. */
export const DEFAULT_LISTS = [
  { id: 'Single', name: 'Newsletter, single opt-in', opt_in_process: 'single_opt_in' },
  { id: 'Double', name: 'Newsletter, double opt-in', opt_in_process: 'double_opt_in' },
] as const;
