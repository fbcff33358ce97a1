/** The user's settings as one checked object: what is out of range is brought into it, and that is told. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import {
  bytesPerGigabyte,
  settings as known,
  settingsSection,
  type BooleanSetting,
  type NumberSetting,
  type StringSetting,
  type StringsSetting,
} from '../contributions.ts';
import type { DeviceName, KvCacheType, PresetName } from '../protocol/engine.ts';

export interface Settings {
  /** Name in the catalogue, reference to Hugging Face or path of a GGUF file; absent: the default model. */
  readonly model?: string;
  /** Absolute; absent: the platform's folder for caches. */
  readonly modelFolder?: string;
  /** Address of a mirror of Hugging Face; absent: Hugging Face itself. */
  readonly modelMirror?: string;
  readonly device: DeviceName;
  readonly kvCacheType: KvCacheType;
  /** Minutes without a question after which the engine is ended; 0: never. */
  readonly idleMinutes: number;
  /** Tokens; absent: what the machine reads in a short time. */
  readonly readingLimit?: number | 'all';
  /** Lines of a .gitignore, for the workspace folder that was given as scope. */
  readonly exclude: readonly string[];
  readonly confirmLongReadings: boolean;
  /** 0: none is kept. */
  readonly storedReadingsBytes: number;
  readonly index: boolean;
  readonly tokenBudget: number;
  readonly preset: PresetName;
  readonly maxAnswerTokens: number;
  /** 0 to 2; 0 is greedy. */
  readonly temperature: number;
  /** In the language of the document that was given as scope; `codeLens` likewise. */
  readonly hover: boolean;
  readonly codeLens: boolean;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** Sentences in the user's language, one for each value that was not taken as it stands. */
  readonly problems: readonly string[];
}

/**
 * The settings as they hold now. `exclude` may differ from folder to folder: give the folder's URI to get its own.
 * `hover` and `codeLens` may differ from language to language: give the document.
 * In Restricted Mode VS Code itself leaves out what the workspace says of the restricted settings.
 */
export function readSettings(scope?: vscode.ConfigurationScope): ReadSettings {
  const configuration = vscode.workspace.getConfiguration(settingsSection, scope ?? null);
  const problems: string[] = [];
  const get: Get = (key) => configuration.get(key);
  const tell: Tell = (problem) => problems.push(problem);

  const model = homePath(text(known.model, get, tell).trim());
  const modelFolder = absolutePath(known.modelFolder, get, tell);
  const modelMirror = address(known.modelMirror, get, tell);
  const reading = oneOf(known.reading, get, tell);
  const readingLimit = {
    automatic: undefined,
    everything: 'all' as const,
    limit: number(known.readingLimit, get, tell),
  }[reading];
  const settings: Settings = {
    ...(model === '' ? {} : { model }),
    ...(modelFolder === '' ? {} : { modelFolder }),
    ...(modelMirror === '' ? {} : { modelMirror }),
    device: oneOf(known.device, get, tell),
    kvCacheType: oneOf(known.kvCacheType, get, tell),
    idleMinutes: number(known.idleMinutes, get, tell),
    ...(readingLimit === undefined ? {} : { readingLimit }),
    exclude: texts(known.exclude, get, tell),
    confirmLongReadings: trueOrFalse(known.confirmLongReadings, get, tell),
    storedReadingsBytes: number(known.storedReadingsLimit, get, tell) * bytesPerGigabyte,
    index: trueOrFalse(known.index, get, tell),
    tokenBudget: number(known.tokenBudget, get, tell),
    preset: oneOf(known.preset, get, tell),
    maxAnswerTokens: number(known.maxAnswerTokens, get, tell),
    temperature: number(known.temperature, get, tell),
    hover: trueOrFalse(known.hover, get, tell),
    codeLens: trueOrFalse(known.codeLens, get, tell),
  };
  return { settings, problems };
}

type Get = (key: string) => unknown;
type Tell = (problem: string) => void;

function number(setting: NumberSetting, get: Get, tell: Tell): number {
  const { minimum, maximum } = setting;
  const value = get(setting.key);
  const inRange =
    typeof value === 'number' && !Number.isNaN(value)
      ? Math.min(maximum, Math.max(minimum, setting.type === 'integer' ? Math.round(value) : value))
      : setting.default;
  if (inRange !== value) {
    tell(
      setting.type === 'integer'
        ? vscode.l10n.t(
            'The setting {0} takes a whole number from {1} to {2}, not {3}; {4} is used.',
            ...[id(setting), minimum, maximum, JSON.stringify(value), inRange],
          )
        : vscode.l10n.t(
            'The setting {0} takes a number from {1} to {2}, not {3}; {4} is used.',
            ...[id(setting), minimum, maximum, JSON.stringify(value), inRange],
          ),
    );
  }
  return inRange;
}

function oneOf<T extends string>(
  setting: { readonly key: string; readonly default: T; readonly enum: readonly T[] },
  get: Get,
  tell: Tell,
): T {
  const value = get(setting.key);
  const found = setting.enum.find((one) => one === value);
  if (found !== undefined) return found;
  tell(
    vscode.l10n.t(
      'The setting {0} takes one of {1}, not {2}; {3} is used.',
      ...[id(setting), setting.enum.join(', '), JSON.stringify(value), setting.default],
    ),
  );
  return setting.default;
}

function trueOrFalse(setting: BooleanSetting, get: Get, tell: Tell): boolean {
  const value = get(setting.key);
  if (typeof value === 'boolean') return value;
  tell(
    vscode.l10n.t(
      'The setting {0} takes true or false, not {1}; {2} is used.',
      ...[id(setting), JSON.stringify(value), setting.default],
    ),
  );
  return setting.default;
}

function text(setting: StringSetting, get: Get, tell: Tell): string {
  const value = get(setting.key);
  if (typeof value === 'string') return value;
  tell(
    vscode.l10n.t(
      'The setting {0} takes a text, not {1}; it is left out.',
      id(setting),
      JSON.stringify(value),
    ),
  );
  return setting.default;
}

function absolutePath(setting: StringSetting, get: Get, tell: Tell): string {
  const path = homePath(text(setting, get, tell).trim());
  if (path === '' || isAbsolute(path)) return path;
  tell(vscode.l10n.t('The setting {0} takes an absolute path, not {1}; it is left out.', id(setting), path));
  return setting.default;
}

function address(setting: StringSetting, get: Get, tell: Tell): string {
  const value = text(setting, get, tell).trim();
  if (value === '' || (/^https?:\/\//i.test(value) && URL.canParse(value))) return value;
  tell(vscode.l10n.t('The setting {0} takes a web address, not {1}; it is left out.', id(setting), value));
  return setting.default;
}

function texts(setting: StringsSetting, get: Get, tell: Tell): readonly string[] {
  const value = get(setting.key);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const wrong of list.filter((one) => typeof one !== 'string')) {
    tell(
      vscode.l10n.t(
        'The setting {0} takes a list of texts; {1} is left out.',
        id(setting),
        JSON.stringify(wrong),
      ),
    );
  }
  return list.filter((one) => typeof one === 'string');
}

/** `~/models` means the same here as in a shell. */
function homePath(path: string): string {
  return /^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : path;
}

/** As it stands in settings.json. */
function id(setting: { readonly key: string }): string {
  return `${settingsSection}.${setting.key}`;
}
