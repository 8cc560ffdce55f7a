import { checkOptions, SourceError } from '../../importers/index.js';
import type { Variables } from '../../runtime/config.js';
import { importOptions } from '../migrations/settings.js';
import { ConfigFileError, type Problem } from './file/problems.js';
import { readFile, type ProgramsFile } from './file/read.js';
import { readReferences, type Secrets } from './file/secrets.js';
import { programsOf, type Program } from './program.js';
import { requestOf } from './request.js';
import { withKeys } from './words.js';

/** A file of programs that is valid as a whole, with what it refers to. */
export interface Programs {
  readonly file: ProgramsFile;
  readonly secrets: Secrets;
  /** In the order of the file. */
  readonly programs: readonly Program[];
}

/**
 * Reads a file of programs, and all that it refers to on this machine but the people. Whatever is
 * wrong with any of its programs is found here, before anything is sent for one.
 *
 * @param given its path; null if the environment or the current folder says where it is
 * @throws ConfigFileError
 */
export async function loadPrograms(given: string | null, variables?: Variables): Promise<Programs> {
  const file = await readFile(given, variables);
  const secrets = await readReferences(file, variables);
  const programs = programsOf(file.settings);
  const problems = programs.flatMap((program) => problemsOfRequest(file, secrets, program));
  if (problems.length > 0) throw new ConfigFileError(file.path, problems);
  return { file, secrets, programs };
}

/** What the settings of a migration and its importer refuse. */
function problemsOfRequest(file: ProgramsFile, secrets: Secrets, program: Program): Problem[] {
  // Nothing is run for it, so nothing is asked of Klaviyo.
  if (program.channels.value.length === 0) return [];
  try {
    checkOptions(program.name, importOptions(requestOf(file, secrets, program), null));
    return [];
  } catch (error) {
    if (error instanceof ConfigFileError) return [...error.problems];
    if (!(error instanceof SourceError)) throw error;
    const problem = error.message.slice(error.file.length + 2, -error.remedy.length).trim();
    const words = `is not usable: ${withKeys(problem).replace(/\.$/, '')}`;
    return [file.problem(['programs', program.name, 'source'], words, withKeys(error.remedy))];
  }
}
