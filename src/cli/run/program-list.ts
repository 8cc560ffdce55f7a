import { SourceError } from '../../importers/index.js';
import { loadPrograms, type Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import { countContacts } from '../../starter/programs/program-runs.js';
import { Ended } from '../ended.js';
import { EXIT } from '../exit-codes.js';
import { programDocument, renderPrograms } from '../render/programs.js';
import { Output, type Terminal } from '../terminal/terminal.js';
import type { Contacts } from './ran-program.js';

/** @throws Ended with 2 after the list if a source cannot be read */
export async function listPrograms(
  flags: { readonly config?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const loaded = await loadPrograms(flags.config ?? null);
  const listed: (Contacts & { readonly program: Program })[] = [];
  for (const program of loaded.programs) {
    listed.push({ program, ...(await contactsOf(loaded, program)) });
  }
  const output = new Output(terminal, flags.json ?? false);
  output.result(
    {
      file: loaded.file.path,
      programs: listed.map(({ program, contacts, failure }) => ({
        ...programDocument(program),
        contacts,
        failure,
      })),
    },
    renderPrograms(listed),
  );
  const failures = listed.flatMap(({ program, failure }) =>
    failure === null ? [] : [`${program.name}: ${failure}`],
  );
  if (failures.length === 0) return;
  output.note(failures.join('\n'));
  throw new Ended(EXIT.usage);
}

/** A source that cannot be read keeps nobody from seeing the rest. */
export async function contactsOf(programs: Programs, program: Program): Promise<Contacts> {
  try {
    return { contacts: await countContacts(programs, program), failure: null };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { contacts: null, failure: error.message };
  }
}
