import { describe, expect, test } from 'vitest';
import { isAskError } from '../../../extension/errors.ts';
import {
  mcpHelpText,
  parseFolderArguments,
  type FolderArguments,
} from '../../../extension/terminal/folderArguments.ts';

const defaults: FolderArguments = { workspaces: ['.'], device: 'auto', kvCacheType: 'f16' };

const good: readonly [commandLine: string[], differs: Partial<FolderArguments>][] = [
  [[], {}],
  [['--workspace', 'a', '--workspace=b c'], { workspaces: ['a', 'b c'] }],
  [['--model', '/m/x.gguf'], { model: '/m/x.gguf' }],
  [['--device=cpu'], { device: 'cpu' }],
  [['--kv-cache=q8_0'], { kvCacheType: 'q8_0' }],
];

const bad: readonly [commandLine: string[], message: RegExp][] = [
  [['--workspace'], /^--workspace needs a value/],
  [['--workspace='], /^--workspace needs a folder/],
  [['--model='], /^--model needs a name/],
  [['--device', 'abacus'], /^--device takes one of auto, cpu, .*, not "abacus"/],
  [['--kv-cache', 'f32'], /^--kv-cache takes one of f16, q8_0, not "f32"/],
  [['--json'], /^--json is not an option/],
  [['why?'], /^The command line cannot be read: .*'why\?'/],
];

describe('the command line of the server for agents', () => {
  test.each(good)('%j', (commandLine, differs) => {
    expect(parseFolderArguments(commandLine)).toEqual({ ...defaults, ...differs });
  });

  test.each(bad)('%j is refused', (commandLine, message) => {
    let thrown: unknown;
    try {
      parseFolderArguments(commandLine);
    } catch (error) {
      thrown = error;
    }
    expect(isAskError(thrown, 'badArgument') && thrown.message).toMatch(message);
  });

  test('help wins, names every option and fits 80 columns', () => {
    expect(parseFolderArguments(['--help', '--device', 'abacus'])).toBe('help');
    for (const option of ['--workspace', '--model', '--device', '--kv-cache', '--help'])
      expect(mcpHelpText).toContain(option);
    expect(Math.max(...mcpHelpText.split('\n').map((line) => line.length))).toBeLessThan(80);
  });
});
