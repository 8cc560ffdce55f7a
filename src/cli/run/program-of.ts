import { nearest } from '../../contracts/nearest.js';
import type { Programs } from '../../starter/programs/load.js';
import type { Program } from '../../starter/programs/program.js';
import { UsageError } from '../ended.js';

/** @throws UsageError if the file has no such program */
export function programCalled({ file, programs }: Programs, name: string): Program {
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  const names = programs.map((program) => program.name);
  const meant = nearest(name, names);
  const remedy =
    meant !== null
      ? `did you mean ${meant}?`
      : names.length === 0
        ? 'it has no programs.'
        : `it has ${names.join(', ')}.`;
  throw new UsageError(`${file.path} has no program ${name}: ${remedy}`);
}
