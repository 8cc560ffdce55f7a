import { bluntWords } from '../../contracts/segments.js';
import type { Consentry } from '../../starter/consentry.js';
import { renderSegmentRuns } from '../render/segment.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import { withConsentry } from '../with-consentry.js';

/** What is done about the runs of a segment. */
export type ActivationVerb = 'trigger' | 'pause' | 'unpause' | 'approve' | 'reject';

interface Flags {
  readonly account?: string;
  readonly json?: boolean;
}

/** Shows the latest runs of a segment. */
export async function showRuns(name: string, flags: Flags, terminal: Terminal): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    const status = await consentry.activations.status(name, flags.account ?? null);
    new Output(terminal, flags.json ?? false).result(status, renderSegmentRuns(status));
  });
}

/** Does something about the runs of a segment, and says what it did. */
export async function steerSegment(
  does: ActivationVerb,
  name: string,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  await withConsentry(async ({ consentry }) => {
    const { document, words } = await steer(consentry, does, name, flags.account ?? null);
    new Output(terminal, flags.json ?? false).result(document, words);
  });
}

async function steer(
  { activations }: Consentry,
  does: ActivationVerb,
  name: string,
  account: string | null,
): Promise<{ readonly document: object; readonly words: string }> {
  const see = (program: string) => `See its runs with: consentry program runs ${program}`;
  switch (does) {
    case 'trigger':
      await activations.trigger(name, account);
      return {
        document: { program: name, triggered: true },
        words: `A run of ${name} starts, unless one works already. ${see(name)}`,
      };
    case 'pause':
      await activations.setPaused(name, true, account);
      return {
        document: { program: name, paused: true },
        words: `${name} starts no more runs by itself. Start them again: consentry program unpause ${name}`,
      };
    case 'unpause':
      await activations.setPaused(name, false, account);
      return { document: { program: name, paused: false }, words: `${name} runs by itself again.` };
    case 'approve': {
      const answered = await activations.approve(name, account);
      const { program } = answered;
      if (answered.to === 'kept') {
        const { people } = answered;
        return {
          document: { program, approved: 'kept', people },
          words:
            `${people.toLocaleString('en-US')} who are missing since the segment began anew leave in the next run, ` +
            'as far as its brakes allow.',
        };
      }
      const { id, found } = answered.run;
      const { blunt } = found ?? {};
      return {
        document: { program, approved: 'run', run: id, ...(blunt === undefined ? {} : { blunt }) },
        words: [
          `The run ${id} of ${program} compares once more, and does as much as it found. ${see(program)}`,
          ...(blunt === undefined ? [] : [bluntWords(blunt)]),
        ].join('\n'),
      };
    }
    case 'reject': {
      const answered = await activations.reject(name, account);
      const { program } = answered;
      const id = answered.to === 'run' ? answered.run.id : '';
      return {
        document: { program, rejected: 'run', run: id },
        words: `The run ${id} of ${program} ends. Nothing was sent, and nobody entered or left.`,
      };
    }
  }
}
