import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { settings as known } from '../../../extension/contributions.ts';
import { readSettings, type Settings } from '../../../extension/editor/settings.ts';

/** What settings.json says, in place of VS Code, which gives the default for the rest. */
let values: Record<string, unknown>;
beforeEach(() => {
  values = {};
});

vi.mock('vscode', () => ({
  workspace: {
    getConfiguration: (section: string) => ({
      get: (key: string) =>
        section === 'askCodebase' && Object.hasOwn(values, key)
          ? values[key]
          : Object.values(known).find((setting) => setting.key === key)?.default,
    }),
  },
  l10n: {
    t: (message: string, ...args: readonly unknown[]) =>
      message.replace(/\{(\d+)\}/g, (_, index) => String(args[Number(index)])),
  },
}));

const byDefault: Settings = {
  device: 'auto',
  kvCacheType: 'f16',
  idleMinutes: 10,
  exclude: [],
  confirmLongReadings: true,
  storedReadingsBytes: 10e9,
  index: true,
  tokenBudget: 1024,
  preset: 'default',
  maxAnswerTokens: 400,
  temperature: 0,
  hover: true,
  codeLens: false,
};

const taken: readonly [name: string, Record<string, unknown>, Partial<Settings>][] = [
  ['nothing set', {}, {}],
  ['a model of the catalogue', { model: ' SmolLM2-135M-Instruct ' }, { model: 'SmolLM2-135M-Instruct' }],
  ['a model in the home folder', { model: '~/m/x.gguf' }, { model: join(homedir(), 'm/x.gguf') }],
  ['a folder for models', { modelFolder: '/var/models' }, { modelFolder: '/var/models' }],
  ['everything is read', { reading: 'everything', readingLimit: 5000 }, { readingLimit: 'all' }],
  ['no stored readings', { storedReadingsLimit: 0 }, { storedReadingsBytes: 0 }],
  ['few stored readings', { storedReadingsLimit: 0.5 }, { storedReadingsBytes: 5e8 }],
  ['a limit', { reading: 'limit', readingLimit: 5000 }, { readingLimit: 5000 }],
  ['a limit that is not used', { reading: 'automatic', readingLimit: 5000 }, {}],
  ['patterns', { exclude: ['*.min.js', '!a'] }, { exclude: ['*.min.js', '!a'] }],
  ['rows of 8 bits', { kvCacheType: 'q8_0' }, { kvCacheType: 'q8_0' }],
  ['the borders', { idleMinutes: 0, temperature: 2 }, { idleMinutes: 0, temperature: 2 }],
];
test.each(taken)('%s is taken as it stands', (_, set, expected) => {
  values = set;
  expect(readSettings()).toEqual({ settings: { ...byDefault, ...expected }, problems: [] });
});

const mended: readonly [Record<string, unknown>, Partial<Settings>, problem: string][] = [
  [
    { tokenBudget: 3 },
    { tokenBudget: 64 },
    'The setting askCodebase.tokenBudget takes a whole number from 64 to 100000000, not 3; 64 is used.',
  ],
  [
    { idleMinutes: 1e9 },
    { idleMinutes: 1440 },
    'The setting askCodebase.idleMinutes takes a whole number from 0 to 1440, not 1000000000; 1440 is used.',
  ],
  [
    { maxAnswerTokens: 99.6 },
    { maxAnswerTokens: 100 },
    'The setting askCodebase.maxAnswerTokens takes a whole number from 1 to 100000000, not 99.6; 100 is used.',
  ],
  [
    { temperature: 'hot' },
    { temperature: 0 },
    'The setting askCodebase.temperature takes a number from 0 to 2, not "hot"; 0 is used.',
  ],
  [
    { reading: 'limit', readingLimit: 20 },
    { readingLimit: 1000 },
    'The setting askCodebase.readingLimit takes a whole number from 1000 to 100000000, not 20; 1000 is used.',
  ],
  [
    { device: 'tpu' },
    { device: 'auto' },
    'The setting askCodebase.device takes one of auto, cpu, vulkan, cuda, metal, not "tpu"; auto is used.',
  ],
  [
    { kvCacheType: 'q4_0' },
    { kvCacheType: 'f16' },
    'The setting askCodebase.kvCacheType takes one of f16, q8_0, not "q4_0"; f16 is used.',
  ],
  [
    { confirmLongReadings: 'yes' },
    { confirmLongReadings: true },
    'The setting askCodebase.confirmLongReadings takes true or false, not "yes"; true is used.',
  ],
  [{ model: null }, {}, 'The setting askCodebase.model takes a text, not null; it is left out.'],
  [
    { modelFolder: 'models' },
    {},
    'The setting askCodebase.modelFolder takes an absolute path, not models; it is left out.',
  ],
  [
    { exclude: ['a', 7] },
    { exclude: ['a'] },
    'The setting askCodebase.exclude takes a list of texts; 7 is left out.',
  ],
  [{ exclude: null }, {}, 'The setting askCodebase.exclude takes a list of texts; null is left out.'],
];
test.each(mended)('%j is mended and told', (set, expected, problem) => {
  values = set;
  expect(readSettings()).toEqual({ settings: { ...byDefault, ...expected }, problems: [problem] });
});
