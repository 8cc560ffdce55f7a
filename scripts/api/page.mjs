/** The reference of the functions for scripts, made from the doc comments of what src/starter.ts exports. */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../run-to-end.mjs';
import { commentBefore, exportsOf, moduleComment } from './exports.mjs';

const STARTER = join(ROOT, 'src', 'starter.ts');

/** Every exported name, by section. */
const SECTIONS = {
  Connecting: ['connect', 'ConnectOptions', 'Connected', 'Consentry'],
  Migrations: [
    'Migrations',
    'hasEnded',
    'MigrationRequest',
    'CheckRequest',
    'RetryRequest',
    'StartedMigration',
    'Changes',
    'VanishedRow',
    'WatchOptions',
  ],
  'State of a migration': [
    'Phase',
    'Preflight',
    'Plan',
    'JobRange',
    'Progress',
    'Totals',
    'OutcomeCounts',
    'PartCount',
    'NoteCount',
    'SharedDate',
    'WatchProgress',
    'MigrationTiming',
    'MigrationSummary',
  ],
  Reports: ['Report', 'Reads', 'ReportDetails', 'ReportedPart', 'SettledOverTime', 'Transition'],
  People: [
    'People',
    'Person',
    'PersonChange',
    'PersonConsent',
    'PersonProfile',
    'PersonChannel',
    'PersonPart',
  ],
  Lists: ['Lists', 'NewList', 'CreatedList'],
  Values: ['OUTCOMES', 'Outcome', 'Reason', 'SettledBy', 'Channel', 'ConsentChannel', 'Operation'],
  Errors: [
    'SettingsError',
    'SourceError',
    'NothingChangedError',
    'ConfigError',
    'NoEnvironmentError',
    'NoWorkerError',
    'TemporalUnreachableError',
    'LedgerUnavailableError',
    'MigrationNotFoundError',
    'MigrationStoppedError',
    'PersonNotReadError',
    'ListNotCreatedError',
  ],
};

/** Types that another page explains; null where the text is enough. */
const EXPLAINED = {
  MigrationRequest: '[Its settings](cli.md#migrate).',
  CheckRequest: null,
  RetryRequest: null,
  MigrationTiming: '[Each of them](cli.md#migrate), there as `timing.…`.',
  OUTCOMES: '[What each means](outcomes.md).',
  Reason: '[All reasons](outcomes.md#reasons).',
};

export const apiFile = { path: 'docs/api.md', contentOf: apiPage };

function apiPage() {
  const exported = exportsOf(STARTER);
  const sections = Object.entries(SECTIONS).map(([title, names]) => {
    const entries = names.map((name) => {
      const found = exported.get(name);
      if (found === undefined) {
        throw new Error(`src/starter.ts does not export ${name}: correct scripts/api/page.mjs.`);
      }
      exported.delete(name);
      if (title === 'Errors') return errorOf(name, found);
      return joined(name === title ? null : `### ${name}`, entryOf(name, found));
    });
    return joined(`## ${title}`, entries.join(title === 'Errors' ? '\n' : '\n\n'));
  });
  if (exported.size > 0) {
    throw new Error(
      `src/starter.ts exports ${[...exported.keys()].join(', ')}: add them to a section of scripts/api/page.mjs.`,
    );
  }
  return joined(
    '# API for scripts',
    '<!-- Written by npm run generate from the doc comments of what src/starter.ts exports. -->',
    `${moduleComment(STARTER)} Everything is imported from \`consentry\`. Names that end in \`Ms\` are in milliseconds.`,
    ...sections,
  );
}

function entryOf(name, { declaration, comment }) {
  const { text, tags } = docOf(name, commentBefore(declaration) ?? comment);
  if (ts.isFunctionDeclaration(declaration)) return joined(text, callOf(name, declaration, tags));
  if (!ts.isClassDeclaration(declaration)) return joined(text, typeOf(name, declaration));
  const methods = declaration.members.filter(ts.isMethodDeclaration).filter(isPublic);
  return joined(
    text,
    ...examplesOf(tags),
    listOf(fieldsOf(declaration)),
    ...methods.map((method) => methodOf(name, method)),
  );
}

function errorOf(name, { declaration, comment }) {
  const { text } = docOf(name, commentBefore(declaration) ?? comment);
  const fields = listOf(fieldsOf(declaration));
  return `- \`${name}\`: ${lines(text)}${fields === null ? '' : `\n${fields.replace(/^/gm, '  ')}`}`;
}

/** The public fields of a class, without the `name` of an error. */
function fieldsOf({ members }) {
  const properties = members.filter(ts.isPropertyDeclaration);
  const parameters = members
    .filter(ts.isConstructorDeclaration)
    .flatMap(({ parameters: all }) => all.filter(({ modifiers }) => modifiers !== undefined));
  return [...properties, ...parameters].filter(
    (field) => isPublic(field) && field.name.getText() !== 'name',
  );
}

function methodOf(owner, method) {
  const name = method.name.getText();
  const { text, tags } = docOf(`${owner}.${name}`, commentBefore(method));
  return joined(`### ${name}`, text, callOf(`${owner}.${name}`, method, tags));
}

/** Signature, parameters, result, example and errors of a function or method. */
function callOf(name, node, tags) {
  if (tags.example.length === 0)
    throw new Error(`The doc comment of ${name} has no @example: add one.`);
  const parameters = node.parameters.map((one) => one.getText()).join(', ');
  const signature = `${node.name.getText()}(${parameters}): ${node.type.getText()}`;
  const notes = [
    ...tags.param.map((text) => text.replace(/^(\S+) /, '`$1`: ')),
    ...tags.returns.map((text) => `Returns ${text}`),
    ...tags.throws.map((text) => `Throws ${text.replace(/\b[A-Z]\w*Error\b/g, '`$&`')}`),
  ];
  return joined(
    fenced(signature.replace(/\s+/g, ' ')),
    notes.length === 0 ? null : notes.map((note) => `- ${note}`).join('\n'),
    ...examplesOf(tags),
  );
}

function examplesOf({ example }) {
  return example.map(fenced);
}

/** A type as it is declared, or where it is explained. */
function typeOf(name, declaration) {
  if (Object.hasOwn(EXPLAINED, name)) return EXPLAINED[name];
  const code = declaration.getText().replace(/^export /, '');
  return fenced(
    code.replace(/\(typeof (\w+)\)\[number\]/, (_, list) => valuesOf(declaration, list)),
  );
}

/** The values of a constant list in the same file, as a union. */
function valuesOf(declaration, list) {
  const file = declaration.getSourceFile();
  const constant = file.statements
    .filter(ts.isVariableStatement)
    .flatMap((statement) => statement.declarationList.declarations)
    .find(({ name }) => name.getText() === list);
  return constant.initializer.expression.elements.map((value) => value.getText()).join(' | ');
}

/** Null where there are none. */
function listOf(members) {
  if (members.length === 0) return null;
  return members
    .map((member) => {
      const comment = commentBefore(member);
      const text = comment === null ? '' : `: ${lines(comment)}`;
      return `- \`${member.name.getText()}: ${member.type.getText()}\`${text}`;
    })
    .join('\n');
}

function isPublic({ modifiers = [] }) {
  return !modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
}

/** A doc comment as its text and its tags. */
function docOf(name, comment) {
  if (comment === null)
    throw new Error(`${name}, which src/starter.ts exports, has no doc comment: write one.`);
  const [text, ...parts] = comment.split(/^@/m);
  const tags = { param: [], returns: [], throws: [], example: [] };
  for (const part of parts) {
    const [, tag, content] = /^(\w+)\s*([^]*)$/.exec(part);
    if (!Object.hasOwn(tags, tag))
      throw new Error(`${name} has the tag @${tag}, which the reference does not show.`);
    tags[tag].push(tag === 'example' ? content.trimEnd() : lines(content));
  }
  return {
    text: text
      .trim()
      .split(/\n{2,}/)
      .map(lines)
      .join('\n\n'),
    tags,
  };
}

function lines(text) {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** Parts of a page below each other; null is left out. */
function joined(...parts) {
  return parts.filter((part) => part !== null).join('\n\n');
}

function fenced(code) {
  return `\`\`\`ts\n${code}\n\`\`\``;
}
