/** The exit codes of `consentry`. Scripts may rely on the numbers. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  refused: 3,
  stopped: 4,
  cancelled: 5,
  unreachable: 6,
  differs: 8,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.unexpected, 'an unexpected error, or a demo whose ledger is wrong'],
  [EXIT.usage, 'a flag, a setting or the source is wrong; nothing was sent'],
  [
    EXIT.refused,
    'the account forbids it: key, scope, list, opt-in process or SMS; or the keys or brakes of a segment do; nothing was sent',
  ],
  [EXIT.stopped, 'the migration stopped after it had started; the report says how far it got'],
  [EXIT.cancelled, 'the migration was cancelled'],
  [EXIT.unreachable, 'PostgreSQL, Temporal or a worker is not reachable'],
  [EXIT.differs, 'plan --check: consentry.yaml differs from what was applied last'],
  [EXIT.interrupted, 'ended by Ctrl-C (143: by SIGTERM)'],
];

/** From the least to the worst that can happen to one of several runs. */
const SEVERITY: readonly ExitCode[] = [
  EXIT.ok,
  EXIT.differs,
  EXIT.cancelled,
  EXIT.usage,
  EXIT.refused,
  EXIT.stopped,
  EXIT.unreachable,
  EXIT.unexpected,
  EXIT.interrupted,
];

/** The exit code of several runs: the worst of theirs. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return SEVERITY.findLast((code) => codes.includes(code)) ?? EXIT.ok;
}

/** The table for `--help`. */
export function exitCodesHelp(): string {
  const lines = MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
