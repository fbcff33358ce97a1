import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errors } from '../../extension/errors.ts';
import { deviceProblems } from '../../extension/protocol/engine.ts';
import { skipReasonText } from '../../extension/protocol/nouns.ts';
import {
  bundles,
  compareTranslation,
  readTexts,
  type Texts,
  type TranslationFaults,
} from '../../scripts/translations.ts';

const root = join(import.meta.dirname, '../..');
const all = await bundles(root);

// npm run l10n prints the lines to add.
test.each(all)('$translationPath has every text, no other, with the same placeholders', (bundle) => {
  const translation = readTexts(join(root, bundle.translationPath));
  expect(compareTranslation(bundle.texts, translation)).toEqual({
    missing: [],
    superfluous: [],
    mismatched: [],
  });
});

test.each(all)('$translationPath is written in its language', ({ translationPath, texts }) => {
  const translation = readTexts(join(root, translationPath));
  // Names stay as they are; whatever has a small English word is a sentence or a title.
  const english = Object.entries(texts).filter(([, text]) => /\b(?:the|is|are|a|to|of|this)\b/i.test(text));
  const untranslated = english.filter(
    ([key]) => !/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(translation[key] ?? ''),
  );
  expect(english.length).toBeGreaterThan(10);
  expect(untranslated).toEqual([]);
});

test.each([
  ['a call in the extension', 'The setting {0} takes true or false, not {1}; {2} is used.'],
  ['the template of an error', errors.engineHung(1).template],
  ['the remedy of an error', errors.engineHung(1).remedy],
  ['a reason why a file is not read', skipReasonText.binary],
  ['a reason why a device is not used', deviceProblems.rotation],
])('%s is found', (_, text) => {
  const inCode = all.find(({ translationPath }) => translationPath.startsWith('l10n/'));
  expect(inCode?.texts[text]).toBe(text);
});

describe('a translation is compared', () => {
  const texts: Texts = { a: 'Read {0} of {1}', b: '[Go](command:x.y) or `z`' };
  const good: Texts = { a: '{1} 中 {0}', b: '`z` か [移動](command:x.y)' };
  const none = { missing: [], superfluous: [], mismatched: [] };
  test.each<[name: string, Texts, Partial<TranslationFaults>]>([
    ['complete, in another order', good, {}],
    ['one missing', { a: good['a']! }, { missing: ['b'] }],
    ['one too many', { ...good, c: 'c' }, { superfluous: ['c'] }],
    ['a placeholder less', { ...good, a: '{1} 中' }, { mismatched: ['a'] }],
    ['a placeholder twice', { ...good, a: '{1} 中 {0} {0}' }, { mismatched: ['a'] }],
    ['another command', { ...good, b: '`z` か [移動](command:x.z)' }, { mismatched: ['b'] }],
    ['other code', { ...good, b: '`y` か [移動](command:x.y)' }, { mismatched: ['b'] }],
  ])('%s', (_, translation, faults) => {
    expect(compareTranslation(texts, translation)).toEqual({ ...none, ...faults });
  });
});
