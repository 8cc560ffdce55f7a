export { openCsv, type ImportedSource } from './csv.js';
export { PRESET_NAMES, type ImportOptions, type PresetName } from './options.js';
export { SourceError, type SourceErrorCode } from './source-error.js';
