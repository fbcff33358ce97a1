import { describe, expect, test } from 'vitest';
import { isAskError } from '../../../extension/errors.ts';
import {
  defaultMaxAnswerTokens,
  defaultTokenBudget,
  helpText,
  parseArguments,
  wantsJson,
  type AskArguments,
} from '../../../extension/terminal/arguments.ts';

const defaults: AskArguments = {
  question: 'why?',
  workspaces: ['.'],
  tokenBudget: defaultTokenBudget,
  maxAnswerTokens: defaultMaxAnswerTokens,
  device: 'auto',
  kvCacheType: 'f16',
  preset: 'default',
  reuse: 'auto',
  json: false,
};

const good: readonly [commandLine: string[], differs: Partial<AskArguments>][] = [
  [['why?'], {}],
  [['why', 'is', 'it', 'so?'], { question: 'why is it so?' }],
  [['  why?  '], {}],
  [['--', '--json'], { question: '--json' }],
  [['--json', 'why?'], { json: true }],
  [['--reuse', 'never', 'why?'], { reuse: 'never' }],
  [['why?', '--json'], { json: true }],
  [['--workspace', 'a', 'why?'], { workspaces: ['a'] }],
  [['--workspace=a b', 'why?', '--workspace', 'c'], { workspaces: ['a b', 'c'] }],
  [['--workspace', '検索/ñ', 'why?'], { workspaces: ['検索/ñ'] }],
  [['--model', 'SmolLM2', 'why?'], { model: 'SmolLM2' }],
  [['--model=/m/x.gguf', 'why?'], { model: '/m/x.gguf' }],
  [['--token-budget', '64', 'why?'], { tokenBudget: 64 }],
  [['--token-budget=512', 'why?'], { tokenBudget: 512 }],
  [['--token-budget=512', '--token-budget=256', 'why?'], { tokenBudget: 256 }],
  [['--reading-limit', '1', 'why?'], { readingLimit: 1 }],
  [['--reading-limit', 'all', 'why?'], { readingLimit: 'all' }],
  [['--max-answer-tokens', '1', 'why?'], { maxAnswerTokens: 1 }],
  [['--device', 'vulkan', 'why?'], { device: 'vulkan' }],
  [['--device', 'metal', 'why?'], { device: 'metal' }],
  [['--kv-cache', 'q8_0', 'why?'], { kvCacheType: 'q8_0' }],
  [['--preset', 'paper', 'why?'], { preset: 'paper' }],
  [['--preset', 'perHead', 'why?'], { preset: 'perHead' }],
];

const bad: readonly [commandLine: string[], message: string][] = [
  [[], 'The question is missing'],
  [['  '], 'The question is missing'],
  [['--json'], 'The question is missing'],
  [['--workspace', 'why?'], 'The question is missing'],
  [['--workspace', '', 'why?'], '--workspace needs a folder'],
  [['why?', '--workspace'], '--workspace needs a value'],
  [['--workspace', '--json', 'why?'], '--workspace needs a value'],
  [['--model', '', 'why?'], '--model needs a name or the path of a GGUF file'],
  [['--token-budget', '63', 'why?'], '--token-budget takes a whole number from 64 to 100000000, not "63"'],
  [['--token-budget', '1e3', 'why?'], '--token-budget takes a whole number from 64 to 100000000, not "1e3"'],
  [['--token-budget=-5', 'why?'], '--token-budget takes a whole number from 64 to 100000000, not "-5"'],
  [['--token-budget', '-5', 'why?'], '--token-budget needs a value'],
  [
    ['--token-budget', '0x400', 'why?'],
    '--token-budget takes a whole number from 64 to 100000000, not "0x400"',
  ],
  [
    ['--max-answer-tokens', '0', 'why?'],
    '--max-answer-tokens takes a whole number from 1 to 100000000, not "0"',
  ],
  [
    ['--max-answer-tokens', '1.5', 'why?'],
    '--max-answer-tokens takes a whole number from 1 to 100000000, not "1.5"',
  ],
  [
    ['--reading-limit', 'ALL', 'why?'],
    '--reading-limit takes a whole number from 1 to 100000000 or "all", not "ALL"',
  ],
  [
    ['--reading-limit', '0', 'why?'],
    '--reading-limit takes a whole number from 1 to 100000000 or "all", not "0"',
  ],
  [
    ['--reading-limit', '100000001', 'why?'],
    '--reading-limit takes a whole number from 1 to 100000000 or "all", not "100000001"',
  ],
  [['--reading-limit=', 'why?'], '--reading-limit takes a whole number from 1 to 100000000 or "all", not ""'],
  [['--device', 'gpu', 'why?'], '--device takes one of auto, cpu, vulkan, cuda, metal, not "gpu"'],
  [['--device', 'CPU', 'why?'], '--device takes one of auto, cpu, vulkan, cuda, metal, not "CPU"'],
  [['--kv-cache', 'q4_0', 'why?'], '--kv-cache takes one of f16, q8_0, not "q4_0"'],
  [['--preset', 'fast', 'why?'], '--preset takes one of default, perHead, paper, not "fast"'],
  [['--verbose', 'why?'], '--verbose is not an option'],
  [['-x', 'why?'], '-x is not an option'],
  [['--json=yes', 'why?'], '--json takes no value'],
  [['--help=me'], '--help takes no value'],
];

describe('parseArguments', () => {
  test.each(good)('%j', (commandLine, differs) => {
    expect(parseArguments(commandLine)).toEqual({ ...defaults, ...differs });
  });

  test.each(bad)('%j is refused', (commandLine, message) => {
    expect(refusal(commandLine)).toBe(message);
  });

  test.each([[['--help']], [['why?', '--help']], [['--help', '--device', 'gpu']]])(
    '%j is help',
    (commandLine) => {
      expect(parseArguments(commandLine)).toBe('help');
    },
  );

  test.each([[['--list-models']], [['why?', '--list-models', '--device', 'gpu']]])(
    '%j lists the models',
    (commandLine) => {
      expect(parseArguments(commandLine)).toBe('listModels');
    },
  );
});

test.each<[string[], boolean]>([
  [['--json', '--bogus'], true],
  [['why?'], false],
  [['--', '--json'], false],
])('%j wants JSON: %s', (commandLine, expected) => {
  expect(wantsJson(commandLine)).toBe(expected);
});

describe('help', () => {
  test('is narrower than 80 columns', () => {
    expect(Math.max(...helpText.split('\n').map((line) => line.length))).toBeLessThan(80);
  });

  test.each([
    '--workspace',
    '--model',
    '--token-budget',
    '--reading-limit',
    '--max-answer-tokens',
    '--device',
    '--preset',
    '--json',
  ])('gives the default of %s', (option) => {
    const described = helpText.slice(helpText.indexOf(`  ${option}`)).split(/\n {2}--/)[0];
    expect(described).toContain('(default: ');
  });
});

function refusal(commandLine: readonly string[]): string {
  try {
    parseArguments(commandLine);
  } catch (error) {
    if (isAskError(error, 'badArgument')) return error.message;
    throw error;
  }
  throw new Error('it was taken');
}
