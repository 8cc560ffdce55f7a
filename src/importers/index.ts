export { openQuery, openSource, openTable, UNDO_COLUMN } from './open-source.js';
export type { ImportedSource } from './imported-source.js';
export { openPerson, type PersonAsks } from './person-source.js';
export {
  changedSince,
  type ChangedSource,
  type Changes,
  type VanishedRow,
} from './changed-since.js';
export { originalLines, type OriginalLine } from '../connectors/original-lines.js';
export { optOutsFirst } from './archive-source.js';
export { readSample, type Sample } from './sample.js';
export { isDatabaseUrl, parseDatabaseUrl } from '../connectors/databases/database-url.js';
export { checkOptions, type ImportOptions, type SegmentSource } from './options.js';
export { SourceError, type SourceErrorCode } from '../connectors/source-error.js';
export { describeMapping } from './mapping/describe.js';
export { readMapping, writeMapping } from './mapping/mapping-file.js';
export type { Mapping } from './mapping/schema.js';
export { suggestMapping, type Suggestion } from './mapping/suggest.js';
export { answerProblem, openQuestions, withAnswer, type Question } from './mapping/questions.js';
export { finishDraft, type MappingDraft } from './mapping/draft.js';
export { LARGEST_SMALL_FILE, readSmallText } from './small-file.js';
export { parseYaml, YamlError, type Place, type YamlDocument } from './yaml-document.js';
