/** The texts that a user can meet, and what a translation of them lacks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getL10nJson } from '@vscode/l10n-dev';
import { cudaErrors } from '../extension/cuda/cudaErrors.ts';
import { errors, type AskError } from '../extension/errors.ts';
import { downloadTexts } from '../extension/models/downloadProblems.ts';
import {
  architectureTexts,
  corruptTexts,
  layerTexts,
  notServedTexts,
} from '../extension/models/modelProblems.ts';
import { choiceTexts, figureTexts } from '../extension/models/recommend.ts';
import { deviceProblems, thisMachine } from '../extension/protocol/engine.ts';
import { absentText, skipReasonText } from '../extension/protocol/nouns.ts';

/** Key in a bundle → the English text. */
export type Texts = Readonly<Record<string, string>>;

export interface TranslationFaults {
  /** Keys that have no translation. */
  readonly missing: readonly string[];
  /** Translated keys that no text has. */
  readonly superfluous: readonly string[];
  /** Keys whose translation has other placeholders, links or quoted code than the text. */
  readonly mismatched: readonly string[];
}

/** The languages that everything is translated to. */
export const languages = ['ja'] as const;

export interface Bundle {
  /** Relative to the root. */
  readonly translationPath: string;
  readonly texts: Texts;
}

/** Every file of translations with the texts it has to translate. `root` is the folder of package.json. */
export async function bundles(root: string): Promise<readonly Bundle[]> {
  const contributed = readTexts(join(root, 'package.nls.json'));
  const inCode = await codeTexts(root);
  return languages.flatMap((language) => [
    { translationPath: `package.nls.${language}.json`, texts: contributed },
    { translationPath: `l10n/bundle.l10n.${language}.json`, texts: inCode },
  ]);
}

export function compareTranslation(texts: Texts, translation: Texts): TranslationFaults {
  return {
    missing: Object.keys(texts).filter((key) => !Object.hasOwn(translation, key)),
    superfluous: Object.keys(translation).filter((key) => !Object.hasOwn(texts, key)),
    mismatched: Object.entries(texts)
      .filter(
        ([key, text]) =>
          Object.hasOwn(translation, key) && fixedParts(text) !== fixedParts(translation[key]!),
      )
      .map(([key]) => key),
  };
}

export function readTexts(path: string): Texts {
  return JSON.parse(readFileSync(path, 'utf8')) as Texts;
}

/**
 * The texts of all `l10n.t` calls, of the errors, and of the texts that stand inside of others: why a file is not read, a
 * model offered or refused, a device left out.
 */
async function codeTexts(root: string): Promise<Texts> {
  const sources = ['extension', 'webview'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => ({ extension: '.ts', contents: readFileSync(join(root, folder, path), 'utf8') })),
  );
  const called = Object.entries(await getL10nJson(sources)).map(
    ([key, text]) => [key, typeof text === 'string' ? text : text.message] as const,
  );
  const constants = [
    ...[skipReasonText, choiceTexts, figureTexts, deviceProblems, [thisMachine, absentText]],
    ...[corruptTexts, notServedTexts, architectureTexts, layerTexts, downloadTexts],
  ].flatMap((texts): string[] => Object.values(texts));
  const constant = [...errorTexts(), ...constants].map((text) => [text, text] as const);
  return Object.fromEntries([...called, ...constant]);
}

/** Templates without a word, as of the terminal's options, need no translation. */
function errorTexts(): readonly string[] {
  return [...Object.values(errors), ...Object.values(cudaErrors)]
    .map((factory) => {
      const make = factory as (...args: readonly unknown[]) => AskError;
      // A list is taken where a list is, and prints where a text or a number is.
      return make(...Array.from({ length: make.length }, (_, index) => [index]));
    })
    .flatMap(({ template, remedy }) => [template, remedy])
    .filter((text) => /\p{L}/u.test(text));
}

/** What a translation must not change, however it orders it. */
function fixedParts(text: string): string {
  const parts = text.match(/\{\d+\}|\((?:command:|https:)[^)]*\)|`[^`]*`|\$\([\w~-]+\)/g) ?? [];
  return parts.toSorted().join(' ');
}
