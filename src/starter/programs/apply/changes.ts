import type { ConsentChannel } from '../../../contracts/channels.js';
import { OFF_PEOPLE, type OffPeople } from '../../../contracts/programs.js';
import { channelsOf, type AppliedProgram } from '../../../ledger/index.js';
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
  /** Id of a migration that still goes on and that applying it must wait for; null if there is none. */
  readonly running: string | null;
  /** What is to be done about the people of channels that were switched off; null if nothing is. */
  readonly off: OffChange | null;
  /** Id of a migration that is doing that already; null if none is. */
  readonly offRunning: string | null;
}

/** Whom applying a change unsubscribes, and from which channels. */
export interface OffChange {
  readonly people: Exclude<OffPeople, 'nothing'>;
  readonly channels: readonly ConsentChannel[];
}

type Named = ProgramState & { readonly name: string; readonly off: OffPeople };

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
        running: runningOf(gone) ?? offRunningOf(gone),
        off: null,
        offRunning: null,
      })),
  ];
}

function changeOf(
  { name, settings, hash, off: people }: Named,
  applied?: AppliedProgram,
): ProgramChange {
  const isOn = channelsOf(settings).length > 0;
  const off = applied === undefined ? null : offOf(channelsOf(settings), people, applied);
  const offRunning = applied === undefined ? null : offRunningOf(applied);
  const of = (change: Change, keys: readonly string[], runs: boolean): ProgramChange => {
    const isSame = change === 'none' || change === 'running';
    const waits = off !== null || !isSame ? (applied ?? null) : null;
    const running = waits && runningOf(waits);
    return {
      program: name,
      ...(isSame && off !== null
        ? { change: isOn ? ('changed' as const) : ('switched_off' as const), keys: ['off'] }
        : { change: change === 'none' && offRunning !== null ? 'running' : change, keys }),
      runs,
      // People must not be subscribed and unsubscribed at the same time.
      running: running ?? (runs || off !== null ? offRunning : null),
      off,
      offRunning,
    };
  };
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

/**
 * What is to be done about the people of channels that the program had and has not any more: as much as
 * the file asks for, where less was done, or where the migration that should do it did not end.
 */
function offOf(
  now: readonly ConsentChannel[],
  people: OffPeople,
  { settings, off }: AppliedProgram,
): OffChange | null {
  if (people === 'nothing') return null;
  const had = new Set([...channelsOf(settings), ...off.map(({ channel }) => channel)]);
  const channels = [...had].filter((channel) => {
    if (now.includes(channel)) return false;
    const done = off.find((each) => each.channel === channel);
    if (done === undefined || levelOf(done.people) < levelOf(people)) return true;
    return done.phase === 'failed' || done.phase === 'cancelled';
  });
  return channels.length === 0 ? null : { people, channels: channels.sort() };
}

const levelOf = (people: OffPeople): number => OFF_PEOPLE.indexOf(people);

function offRunningOf({ off }: AppliedProgram): string | null {
  const running = off.find(({ phase }) => phase !== null && !hasEnded(phase));
  return running?.migrationId ?? null;
}

function runningOf({ migrationId, phase }: AppliedProgram): string | null {
  return phase === null || hasEnded(phase) ? null : migrationId;
}
