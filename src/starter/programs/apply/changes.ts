import type { AppliedProgram } from '../../../ledger/index.js';
import { hasEnded } from '../../migrations/ended.js';
import { canonical, type ProgramState } from './state.js';

/**
 * How a program differs from what was applied last. `unfinished`: its settings are the same, but
 * their migration did not end. `removed`: the file no longer has it. `running`: its migration goes on.
 */
export type Change =
  | 'none'
  | 'running'
  | 'new'
  | 'switched_on'
  | 'changed'
  | 'unfinished'
  | 'switched_off'
  | 'removed';

export interface ProgramChange {
  readonly program: string;
  readonly change: Change;
  /** Keys of the file whose values differ. */
  readonly keys: readonly string[];
  /** Whether applying it runs the program. Otherwise nothing is sent. */
  readonly runs: boolean;
  /** Id of a migration for earlier settings that still goes on; null if there is none. */
  readonly running: string | null;
}

type Named = ProgramState & { readonly name: string };

/** The programs of one account, in the order of the file, then those that it no longer has. Pure. */
export function changesOf(
  programs: readonly Named[],
  applied: readonly AppliedProgram[],
): ProgramChange[] {
  const names = new Set(programs.map(({ name }) => name));
  return [
    ...programs.map((program) =>
      changeOf(
        program,
        applied.find((each) => each.program === program.name),
      ),
    ),
    ...applied
      .filter(({ program }) => !names.has(program))
      .map((gone) => ({
        program: gone.program,
        change: 'removed' as const,
        keys: [],
        runs: false,
        running: runningOf(gone),
      })),
  ];
}

function changeOf({ name, settings, hash }: Named, applied?: AppliedProgram): ProgramChange {
  const isOn = channelsOf(settings).length > 0;
  const of = (change: Change, keys: readonly string[], runs: boolean): ProgramChange => ({
    program: name,
    change,
    keys,
    runs,
    running: applied === undefined || change === 'running' ? null : runningOf(applied),
  });
  // A program without channels asks for nothing, so there is nothing to apply.
  if (applied === undefined) return isOn ? of('new', [], true) : of('none', [], false);
  if (applied.hash === hash) {
    if (!isOn || applied.migrationId === null) return of('none', [], false);
    if (runningOf(applied) !== null) return of('running', [], false);
    const isUnfinished = applied.phase === 'failed' || applied.phase === 'cancelled';
    // A deleted migration says nothing: asking everybody again would be worse than asking nobody.
    return isUnfinished ? of('unfinished', [], true) : of('none', [], false);
  }
  const keys = Object.keys({ ...applied.settings, ...settings }).filter(
    (key) => canonical(settings[key]) !== canonical(applied.settings[key]),
  );
  const before = channelsOf(applied.settings);
  if (!isOn) return of(before.length > 0 ? 'switched_off' : 'changed', keys, false);
  if (before.length === 0) return of('switched_on', keys, true);
  // Whoever is asked for less has been asked already, if the last run came to its end.
  const isLess =
    keys.every((key) => key === 'channels') &&
    channelsOf(settings).every((channel) => before.includes(channel)) &&
    (applied.phase === 'done' || applied.phase === null);
  return of('changed', keys, !isLess);
}

function channelsOf({ channels }: ProgramState['settings']): readonly string[] {
  return Array.isArray(channels) ? (channels as readonly string[]) : [];
}

function runningOf({ migrationId, phase }: AppliedProgram): string | null {
  return phase === null || hasEnded(phase) ? null : migrationId;
}
