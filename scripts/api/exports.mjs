/** Reads the public names of a module, with their declarations, from its source text alone. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * @param {string} path of a module that only re-exports
 * @returns {Map<string, { declaration: ts.Node, comment: string | null }>} by exported name; the
 *   comment is that of the re-export, for declarations without one
 */
export function exportsOf(path) {
  const found = new Map();
  for (const statement of parse(path).statements) {
    if (!ts.isExportDeclaration(statement)) continue;
    const from = sourceOf(path, statement);
    for (const specifier of statement.exportClause.elements) {
      const name = specifier.name.text;
      const declaration = declarationOf(from, (specifier.propertyName ?? specifier.name).text);
      if (declaration === null)
        throw new Error(`${path} exports ${name}, which ${from} does not have.`);
      found.set(name, { declaration, comment: commentBefore(specifier) });
    }
  }
  return found;
}

/** The comment at the top of a module. */
export function moduleComment(path) {
  return commentBefore(parse(path).statements[0]) ?? '';
}

/** A node's doc comment without its frame; null if it has none. */
export function commentBefore(node) {
  const text = node.getSourceFile().text;
  const range = ts
    .getLeadingCommentRanges(text, node.getFullStart())
    ?.findLast(({ pos }) => text.startsWith('/**', pos));
  if (range === undefined) return null;
  return text
    .slice(range.pos + 3, range.end - 2)
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** The declaration of a name in a module or in what it re-exports; null if there is none. */
function declarationOf(path, name) {
  for (const statement of parse(path).statements) {
    if (ts.isVariableStatement(statement)) {
      const names = statement.declarationList.declarations.map((one) => one.name.getText());
      if (names.includes(name)) return statement;
    } else if (ts.isExportDeclaration(statement)) {
      const specifier = statement.exportClause?.elements?.find((one) => one.name.text === name);
      if (statement.exportClause && !specifier) continue;
      const original = (specifier?.propertyName ?? specifier?.name)?.text ?? name;
      const found = declarationOf(sourceOf(path, statement), original);
      if (found !== null) return found;
    } else if (statement.name?.text === name) {
      return statement;
    }
  }
  return null;
}

function sourceOf(path, { moduleSpecifier }) {
  return join(dirname(path), moduleSpecifier.text.replace(/\.js$/, '.ts'));
}

const parsed = new Map();

function parse(path) {
  if (!parsed.has(path)) {
    const text = readFileSync(path, 'utf8');
    parsed.set(path, ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  }
  return parsed.get(path);
}
