import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { circles } from './scripts/lint/no-circle.mjs';

/** Folders and files directly under src/ that other parts could import. */
const PARTS = [
  'contracts',
  'consent',
  'workflows',
  'activities',
  'klaviyo',
  'ledger',
  'connectors',
  'destinations',
  'importers',
  'runtime',
  'cli',
  'demo',
  'starter',
  'worker',
];

const TEMPORAL = String.raw`^@temporalio/`;

/** Forbids a part to import other parts. `values`: types may still be imported. */
function noParts(parts, message, only = 'nothing') {
  const regex = String.raw`^(\.\./)+(${parts.join('|')})(/|\.js$)`;
  return { regex, message, allowTypeImports: only === 'values' };
}

function allExcept(...parts) {
  return PARTS.filter((part) => !parts.includes(part));
}

/** One file reads the environment, also when it is imported under another name. */
const noEnvironment = {
  regex: String.raw`^(node:)?process$`,
  importNames: ['env'],
  message: 'Only src/runtime/config.ts reads the environment; take a Config.',
};

const SANDBOX_USERS = ['cli', 'demo'];
const noSandbox = {
  regex: '^klaviyo-sandbox(/|$)',
  message: 'The product does not know the sandbox: only the verbs that start it do.',
};

/**
 * What the files of one room of src/ may import. A rule is replaced as a whole where two zones match,
 * so a zone says all of it, and the zone of a smaller room comes after that of the larger.
 */
function zone(files, patterns) {
  return {
    files: [`src/${files}`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [noEnvironment, noSandbox, ...patterns] },
      ],
    },
  };
}

const belowAll = noParts(allExcept('contracts', 'runtime'), 'runtime is below all that it runs.');

const zones = [
  zone('contracts/**/*.ts', [
    { regex: String.raw`^(?!\./)`, message: 'contracts imports nothing from outside contracts.' },
  ]),
  zone('consent/**/*.ts', [
    noParts(
      allExcept('contracts', 'consent', 'klaviyo', 'ledger'),
      'consent judges what it is given: what fetches and stores is around it.',
    ),
    noParts(['ledger'], 'consent knows what was read by type only.', 'values'),
    {
      regex: String.raw`^(\.\./)+klaviyo/(?!profiles/profile-consent\.js$)`,
      message: 'consent knows the shape of a profile’s consent, and by type what was read.',
      allowTypeImports: true,
    },
    { regex: TEMPORAL, message: 'consent knows nothing of Temporal.' },
  ]),
  zone('workflows/**/*.ts', [
    {
      regex: String.raw`^(?!\.{1,2}/|@temporalio/workflow$|@temporalio/common/lib/(search-attributes|converter/payload-converter)(\.js)?$)`,
      message:
        'A workflow imports contracts and @temporalio/workflow: anything else is in the bundle, in every workflow’s heap, or not deterministic.',
    },
    noParts(
      allExcept('contracts', 'workflows', 'activities'),
      'A workflow imports contracts alone of all parts.',
    ),
    noParts(['activities'], 'Workflows know activities by type only: use import type.', 'values'),
  ]),
  zone('activities/**/*.ts', [
    noParts(['workflows', 'cli', 'demo', 'worker', 'starter'], 'Nothing calls back up.'),
    noParts(['runtime'], 'Activities get what they need from their dependencies.', 'values'),
  ]),
  zone('klaviyo/**/*.ts', [
    noParts(allExcept('contracts', 'klaviyo'), 'klaviyo is a library: contracts only.'),
    { regex: TEMPORAL, message: 'klaviyo knows nothing of Temporal.' },
  ]),
  zone('ledger/**/*.ts', [
    noParts(
      allExcept('contracts', 'ledger', 'connectors'),
      'ledger is a library: contracts and the TLS of connections only.',
    ),
    {
      regex: String.raw`^(\.\./)+connectors/(?!databases/tls\.js$)`,
      message: 'ledger is a library: of connectors it takes the TLS of connections only.',
    },
    { regex: TEMPORAL, message: 'ledger knows nothing of Temporal.' },
  ]),
  zone('connectors/**/*.ts', [
    noParts(
      allExcept('contracts', 'connectors'),
      'connectors moves tables in and out: it does not know what they mean.',
    ),
    { regex: TEMPORAL, message: 'connectors knows nothing of Temporal.' },
  ]),
  zone('destinations/**/*.ts', [
    noParts(
      allExcept('contracts', 'destinations', 'consent', 'connectors'),
      'destinations writes consent records: it does not know where they come from.',
    ),
    {
      regex: String.raw`^(\.\./)+consent/(?!record/)`,
      message: 'destinations knows the consent record, not the rules of consent.',
    },
    { regex: TEMPORAL, message: 'destinations knows nothing of Temporal.' },
  ]),
  zone('importers/**/*.ts', [
    noParts(
      allExcept('contracts', 'importers', 'connectors'),
      'importers is a library: contracts and connectors only.',
    ),
    { regex: TEMPORAL, message: 'importers knows nothing of Temporal.' },
  ]),
  zone('runtime/**/*.ts', [belowAll]),
  zone('runtime/*.ts', [
    belowAll,
    {
      regex: String.raw`^\./local/`,
      message: 'Only who runs the local stack needs runtime/local.',
    },
  ]),
];

export default defineConfig(
  { ignores: ['**/dist/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: dirname(fileURLToPath(import.meta.url)),
      },
    },
    plugins: { 'import-x': importX, circles },
    settings: {
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/resolver-next': [
        createNodeResolver({
          extensionAlias: { '.js': ['.ts', '.js'] },
          extensions: ['.ts', '.js'],
        }),
      ],
    },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          // The runner itself waits for what these return.
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: [
                'describe',
                'it',
                'test',
                'suite',
                'before',
                'after',
                'beforeEach',
                'afterEach',
              ],
            },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-deprecated': 'error',
      // An async function without an await still turns what it throws into a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'circles/no-circle': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': ['error', { 'prefer-inline': false }],
    },
  },
  {
    // What a factory of activities gives is the type that workflows are checked against: written
    // out a second time it could differ from the functions.
    files: ['src/**/*.ts'],
    ignores: ['src/activities/**/*.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'error' },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/klaviyo-sandbox/src/settings/environment.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only settings/environment.ts reads the environment.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: SANDBOX_USERS.map((part) => `src/${part}/**`),
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [noEnvironment, noSandbox] },
      ],
    },
  },
  {
    files: SANDBOX_USERS.map((part) => `src/${part}/**/*.ts`),
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [noEnvironment] }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/runtime/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: noEnvironment.message },
      ],
    },
  },
  ...zones,
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', 'require', 'fetch', 'performance'].map((name) => ({
          name,
          message: 'Workflow code runs in a sandbox without Node.js.',
        })),
        { name: 'Temporal', message: 'Not deterministic in the workflow sandbox; use Date.' },
        { name: 'WeakRef', message: 'Depends on garbage collection, so a replay may differ.' },
        {
          name: 'FinalizationRegistry',
          message: 'Depends on garbage collection, so a replay may differ.',
        },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortController',
          'console',
          'process',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'URL',
          'fetch',
          'AbortSignal',
          'Buffer',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
