import { parseYaml, YamlError, type YamlDocument } from '../../../importers/index.js';
import {
  ConfigFileError,
  problemsOf,
  problemsOfBlanks,
  problemsOfForm,
  type Problems,
} from './problems.js';
import { contradictions } from './rules.js';
import { fileSchema, type Settings } from './schema.js';

/** A file that is valid in itself; secrets that it refers to were not read yet. */
export interface ParsedFile {
  readonly settings: Settings;
  /** For what is found to be wrong later. */
  readonly problem: Problems;
}

/**
 * Reads the text of a `consentry.yaml`.
 *
 * @param file its path, for messages
 * @throws ConfigFileError with everything that is wrong
 */
export function parseFile(text: string, file: string): ParsedFile {
  const document = readYaml(text, file);
  const problem = problemsOf(document);
  const blanks = problemsOfBlanks(document, problem);
  const result = fileSchema.safeParse(document.value);
  if (!result.success || blanks.length > 0) {
    const { issues = [] } = result.error ?? {};
    throw new ConfigFileError(file, [...blanks, ...problemsOfForm(document, issues, problem)]);
  }
  const wrong = contradictions(result.data, problem);
  if (wrong.length > 0) throw new ConfigFileError(file, wrong);
  return { settings: result.data, problem };
}

function readYaml(text: string, file: string): YamlDocument {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line = null, column = null } = error.place ?? {};
    throw new ConfigFileError(file, [
      {
        line,
        column,
        key: '',
        problem: `This is not YAML: ${withoutText(error.message)}`,
        remedy: 'Check indents, quotes and brackets there.',
      },
    ]);
  }
}

/** The parser's first line, without the piece of text that it may quote: that may be a secret. */
function withoutText(message: string): string {
  const [line = ''] = message.split('\n');
  return line
    .replace(/:?\s*["'`].*$/, '')
    .replace(/ at line \d+, column \d+/, '')
    .replace(/[:.]+$/, '');
}
