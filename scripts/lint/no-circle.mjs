/**
 * An ESLint rule: no import cycles, not even of types only. `import-x/no-cycle` allows `import
 * type`. But two files that need each other's types are one unit in two places: neither can be
 * read, tested or moved without the other.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** The relative imports of each file, cached while the file does not change. */
const known = new Map();

function importsOf(file) {
  const { mtimeMs } = statSync(file);
  const before = known.get(file);
  if (before?.mtimeMs === mtimeMs) return before.imports;
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  const imports = importedFiles.map(({ fileName }) => targetOf(file, fileName)).filter(Boolean);
  known.set(file, { mtimeMs, imports });
  return imports;
}

function targetOf(file, specifier) {
  if (typeof specifier !== 'string' || !specifier.startsWith('.')) return null;
  const target = join(dirname(file), specifier.replace(/\.js$/, '.ts'));
  return target.endsWith('.ts') && existsSync(target) ? target : null;
}

/** The shortest path of imports from one file to another; null if there is none. */
function wayBetween(from, to) {
  const cameFrom = new Map([[from, null]]);
  for (const file of cameFrom.keys()) {
    if (file === to) return wayTo(file, cameFrom);
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return null;
}

function wayTo(end, cameFrom) {
  const way = [];
  for (let file = end; file !== null; file = cameFrom.get(file)) way.unshift(file);
  return way;
}

const rule = {
  meta: {
    type: 'problem',
    docs: { description: 'forbid import cycles, also of types' },
    messages: {
      circle:
        'This import closes a cycle: {{way}}. Move what both need to a file of its own that imports neither.',
    },
    schema: [],
  },
  create(context) {
    const check = ({ source }) => {
      const target = targetOf(context.filename, source?.value);
      if (target === null) return;
      const way = wayBetween(target, context.filename);
      if (way === null) return;
      const names = [context.filename, ...way].map((file) => relative(context.cwd, file));
      context.report({ node: source, messageId: 'circle', data: { way: names.join(' -> ') } });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

export const circles = { rules: { 'no-circle': rule } };
