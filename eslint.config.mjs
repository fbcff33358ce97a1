import tseslint from 'typescript-eslint';

const vscode = {
  group: ['vscode'],
  message:
    'vscode belongs to extension.ts, log.ts, views/, editor/, explanations/ and agents/: the terminal has none.',
};
const koffi = { group: ['koffi'], message: 'koffi and pointers stay in engine/llama.' };
const all = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.venv/', 'test/fixtures/**/*.js'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: [
          'extension/tsconfig.json',
          'webview/tsconfig.json',
          'scripts/tsconfig.json',
          'test/tsconfig.json',
          'test/vscode/suite/tsconfig.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      eqeqeq: 'error',
      // An underscore says that a value is left out on purpose, as in `const { event: _, ...progress } = event`.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A number in a template literal is what it says; the rule's default would need String() around each.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Indexing typed arrays in loops whose bounds are stated is clearer than a check per element.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ExportAllDeclaration',
          message: 'No barrel files: import from the file that declares it.',
        },
      ],
    },
  },
  { files: ['extension/**/*.ts'], rules: all(vscode, koffi) },
  {
    files: [
      'extension/extension.ts',
      'extension/log.ts',
      'extension/views/**',
      'extension/editor/**',
      'extension/explanations/**',
      'extension/agents/**',
    ],
    rules: all(koffi),
  },
  { files: ['extension/engine/llama/**'], rules: all(vscode) },
  {
    files: ['extension/engine/**'],
    ignores: ['extension/engine/llama/**'],
    rules: all(vscode, koffi, {
      group: [
        '**/engineClient/**',
        '**/terminal/**',
        '**/views/**',
        '**/workspace/**',
        '**/retrieval/**',
        '**/ask.ts',
      ],
      message: 'The engine is below these: only protocol/ types cross the process boundary.',
    }),
  },
  {
    files: ['webview/**/*.ts'],
    rules: all(vscode, koffi, {
      regex: '^node:|/extension/(?!protocol/)',
      message: 'The page knows the DOM and protocol/ alone.',
    }),
  },
  {
    files: ['extension/conversations/**'],
    rules: all(vscode, koffi, {
      group: ['**/views/**', '**/editor/**', '**/terminal/**', '**/engine/**'],
      message: 'conversations/ is below the views: it tells what changed and is told what to do.',
    }),
  },
  {
    files: ['extension/protocol/**'],
    rules: all({ regex: '^(?!\\./)', message: 'protocol/ imports nothing but its own files.' }),
  },
  {
    files: ['extension/retrieval/**'],
    rules: all(vscode, koffi, {
      group: [
        'node:*',
        '**/workspace/**',
        '**/engine/**',
        '**/engineClient/**',
        '**/terminal/**',
        '**/ask.ts',
      ],
      message: 'retrieval/ is pure: no I/O, and nothing that comes after it.',
    }),
  },
  {
    files: ['extension/workspace/**'],
    rules: all(vscode, koffi, {
      group: ['**/retrieval/**', '**/engine/**', '**/engineClient/**', '**/terminal/**', '**/ask.ts'],
      message: 'workspace/ comes first: it imports nothing that comes after it.',
    }),
  },
);
