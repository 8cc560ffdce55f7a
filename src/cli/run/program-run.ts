import { stat } from 'node:fs/promises';
import type { SegmentFound } from '../../contracts/segments.js';
import type { Report } from '../../starter/migrations/report.js';
import type { Connected } from '../../starter/connect.js';
import type { FoundChange } from '../../starter/programs/apply/applying.js';
import type { StartedMigration } from '../../starter/migrations/start.js';
import type { RunOptions } from '../../starter/migrations/request/migration-request.js';
import { timingOf } from '../../starter/migrations/request/timing-settings.js';
import { loadPrograms, type Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import { withKeys } from '../../starter/programs/words.js';
import { Ended } from '../ended.js';
import { EXIT, worstOf, type ExitCode } from '../exit-codes.js';
import { failureOf } from '../failure.js';
import { startedAloneWords } from '../render/next-steps.js';
import { renderProgramRuns } from '../render/programs.js';
import { segmentWords } from '../render/segment.js';
import { rejectsPath } from '../report/rejects.js';
import { requireWritable } from '../report/private-file.js';
import { ProgressView } from '../terminal/progress-view.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';
import { followRun, type Following } from './follow.js';
import { firstRowsOf, startedWords, stillWaits } from './migrate.js';
import { programCalled } from './program-of.js';
import type { RanProgram } from './ran-program.js';

/** Flags that say what is run and what is shown; how it goes are settings. */
export interface RunFlags {
  readonly config?: string;
  readonly all?: boolean;
  readonly detach?: boolean;
  /** More people may enter or leave a segment than its brakes allow. */
  readonly beyondBrakes?: boolean;
  readonly json?: boolean;
}

/**
 * @param name null for all programs
 * @throws Ended with the worst exit code of the programs
 */
export async function runPrograms(
  name: string | null,
  options: RunOptions,
  flags: RunFlags,
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadPrograms(flags.config ?? null);
  const programs = name === null ? loaded.programs : [programCalled(loaded, name)];
  const output = new Output(terminal, flags.json ?? false);
  const ran: RanProgram[] = [];
  await withConsentry(async (connected) => {
    const running = new Running(connected, loaded, { ...flags, options }, output);
    for (const program of programs) {
      const isLeft = ran.some(({ exitCode }) => exitCode === EXIT.interrupted);
      ran.push(isLeft ? ended(program, 'not_started', EXIT.ok, null) : await running.run(program));
    }
  });
  output.result({ file: loaded.file.path, programs: ran }, renderProgramRuns(ran));
  const exitCode = worstOf(ran.map((each) => each.exitCode));
  if (exitCode !== EXIT.ok) throw new Ended(exitCode);
}

function ended(
  { name }: Program,
  status: RanProgram['status'],
  exitCode: ExitCode,
  failure: string | null,
  migration: string | null = null,
  report: Report | null = null,
): RanProgram {
  return { program: name, status, exitCode, failure, migration, report, segment: null };
}

/** What is known of a run that has begun. */
interface Begun {
  id: string | null;
  segment: SegmentFound | null;
}

/** Runs programs one after the other. */
export class Running {
  constructor(
    private readonly connected: Connected,
    private readonly loaded: Programs,
    private readonly how: {
      readonly options?: RunOptions;
      readonly detach?: boolean;
      readonly beyondBrakes?: boolean;
    },
    private readonly output: Output,
  ) {}

  /** Whatever keeps a program from running does not keep the next one. */
  async run(program: Program): Promise<RanProgram> {
    this.output.say(`\nProgram ${program.name}`);
    if (program.channels.value.length === 0) {
      this.output.say('It has no channels, so nothing is run for it.');
      return ended(program, 'skipped', EXIT.ok, null);
    }
    return this.#caught(program, (started) => this.#follow(program, started));
  }

  /** Unsubscribes people of channels that were switched off. */
  async switchOff(found: FoundChange): Promise<RanProgram> {
    const { of: program, off } = found;
    if (program === null || off === null) throw new Error('Nothing was switched off.');
    this.output.say(`\nProgram ${program.name}, switched off for ${off.channels.join(', ')}`);
    return this.#caught(program, (started) => this.#followOff(program, found, started));
  }

  async #caught(
    program: Program,
    follow: (started: Begun) => Promise<RanProgram>,
  ): Promise<RanProgram> {
    const begun: Begun = { id: null, segment: null };
    const ran = await this.#orFailure(program, begun, follow);
    return { ...ran, segment: begun.segment };
  }

  async #orFailure(
    program: Program,
    started: Begun,
    follow: (started: Begun) => Promise<RanProgram>,
  ): Promise<RanProgram> {
    try {
      return await follow(started);
    } catch (error) {
      if (error instanceof Ended) {
        return ended(program, 'watched_no_more', error.exitCode, null, started.id);
      }
      const { message, exitCode } = failureOf(error);
      const failure = withKeys(message);
      this.output.note(failure);
      // A run that was started goes on, whatever keeps this command from following it.
      const isLost = exitCode === EXIT.unreachable || exitCode === EXIT.unexpected;
      const status = started.id !== null && isLost ? 'watched_no_more' : 'failed';
      return ended(program, status, exitCode, failure, started.id);
    }
  }

  async #followOff(program: Program, found: FoundChange, running: Begun): Promise<RanProgram> {
    const { output, connected, how, loaded } = this;
    const rejects = rejectsPath(`${program.name}-off`);
    await requireWritable(rejects, 'Run it in another folder.');
    const view = new ProgressView(output.terminal, 0);
    const { started } = await connected.consentry.applying
      .startOff(loaded, found, how.options, (rows) => view.showRead(rows))
      .finally(() => view.stop());
    if (started === null) {
      output.say('There is nobody to unsubscribe.');
      return ended(program, 'done', EXIT.ok, null);
    }
    running.id = started.id;
    output.say(startedWords(started, connected.webUi(started.id)));
    return this.#toEnd(program, started, {
      output,
      view,
      source: null,
      encoding: null,
      rejects,
      isApproved: true,
      firstRows: null,
      since: null,
    });
  }

  async #follow(program: Program, running: Begun): Promise<RanProgram> {
    const { output, connected, how } = this;
    const { consentry } = connected;
    const prepared = await consentry.programs.prepare(this.loaded, program, how.options);
    const { request } = prepared;
    const rejects = rejectsPath(program.name);
    if (how.detach !== true) await requireWritable(rejects, 'Run it in another folder.');
    const view = new ProgressView(output.terminal, timingOf(request).confirmWithinMs);
    const { started, found } = await consentry.programs
      .start(
        { ...prepared, beyondBrakes: how.beyondBrakes === true },
        {
          onRows: (rows) => view.showRead(rows),
          // Before anything is sent.
          onFound: (compared) => {
            view.stop();
            output.say(segmentWords(compared));
          },
        },
      )
      .finally(() => view.stop());
    running.segment = found;
    if (started === null) {
      output.say('Nothing is to be done for anybody.');
      return ended(program, 'done', EXIT.ok, null);
    }
    running.id = started.id;
    output.say(startedWords(started, connected.webUi(started.id)));
    if (how.detach === true) {
      output.say(startedAloneWords(started.id, await stillWaits(consentry, started)));
      return ended(program, 'started', EXIT.ok, null, started.id);
    }
    return this.#toEnd(program, started, {
      output,
      view,
      source: request.query === null && (await isFile(request.file)) ? request.file : null,
      encoding: request.encoding,
      rejects,
      isApproved: request.approvalAbove === null,
      firstRows: firstRowsOf(request),
      since: null,
    });
  }

  async #toEnd(
    program: Program,
    started: StartedMigration,
    following: Following,
  ): Promise<RanProgram> {
    const { output } = following;
    const { report, words, note, exitCode } = await followRun(this.connected, started, following);
    if (words !== null) output.say(words);
    if (note !== null) output.note(withKeys(note));
    const failure = note === null ? null : withKeys(note);
    return ended(program, statusOf(report), exitCode, failure, started.id, report);
  }
}

/** A pipe cannot be read again for the refused lines. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

function statusOf({ phase, jobs }: Report): RanProgram['status'] {
  if (phase === 'done' || phase === 'planned' || phase === 'cancelled') return phase;
  return jobs.submitted > 0 ? 'stopped' : 'failed';
}
