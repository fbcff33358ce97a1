import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import type { SourceDocument } from '../../../extension/protocol/nouns.ts';
import { languageOf } from '../../../extension/retrieval/languages.ts';
import {
  createGrammars,
  MAX_PARSED_CHARACTERS,
  MAX_SHIFT_SHARE,
  snapRanges,
} from '../../../extension/retrieval/syntax.ts';
import { syntaxSources } from './syntaxSources.ts';

const grammars = createGrammars(readGrammarFile);
const sources = Object.entries(syntaxSources);

const documentOf = (path: string, text: string): SourceDocument => ({ workspace: 'w', path, text });
const lineWith = (text: string, mark: string) =>
  text.split('\n').findIndex((line) => line.includes(mark)) + 1;

async function snapLines(path: string, text: string, startLine: number, endLine: number) {
  const range = { workspace: 'w', path, startLine, endLine, score: 1 };
  const [snapped] = await snapRanges([range], documentOf(path, text), grammars);
  return [snapped!.startLine, snapped!.endLine];
}

describe.each(sources)('%s', (path, text) => {
  const begin = lineWith(text, '«begin»');
  const end = lineWith(text, '«end»');

  test('a range is widened to the whole definition with what stands above it', async () => {
    expect(await snapLines(path, text, begin + 2, end - 1)).toEqual([begin, end]);
  });

  test('a definition as it is stays as it is', async () => {
    expect(await snapLines(path, text, begin, end)).toEqual([begin, end]);
  });

  test('any range keeps its lines, stays within the text and grows by no more than its share', async () => {
    const lineCount = text.split('\n').length - 1;
    const line = fc.integer({ min: 1, max: lineCount });
    await fc.assert(
      fc.asyncProperty(line, line, async (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const [startLine, endLine] = await snapLines(path, text, first, last);
        const shift = (last - first + 1) * MAX_SHIFT_SHARE;
        expect(startLine).toBeGreaterThanOrEqual(Math.max(1, first - shift));
        expect(startLine).toBeLessThanOrEqual(first);
        expect(endLine).toBeGreaterThanOrEqual(last);
        expect(endLine).toBeLessThanOrEqual(Math.min(lineCount, last + shift));
      }),
      { numRuns: 30 },
    );
  });
});

const typescript = syntaxSources['a.ts']!;

test.each([
  ['a.txt', 'of no known language', typescript],
  ['Makefile', 'without an ending', typescript],
  ['a.ts', 'longer than is parsed', typescript + '\n'.repeat(MAX_PARSED_CHARACTERS)],
])('a file %s that is %s stays as it is', async (path, _, text) => {
  expect(await snapLines(path, text, 7, 16)).toEqual([7, 16]);
});

test('a file whose grammar cannot be loaded stays as it is, and others do not', async () => {
  const broken = createGrammars((name) =>
    name.endsWith('-go.wasm') ? Promise.resolve(new Uint8Array([1, 2, 3])) : readGrammarFile(name),
  );
  const range = { workspace: 'w', path: 'a.go', startLine: 7, endLine: 16, score: 1 };
  const ofGo = documentOf('a.go', syntaxSources['a.go']!);
  expect(await snapRanges([range], ofGo, broken)).toEqual([range]);
  const other = { ...range, path: 'a.ts' };
  expect(await snapRanges([other], documentOf('a.ts', typescript), broken)).not.toEqual([other]);
});

test('text with faults is still taken apart, and lines beyond its end are not made up', async () => {
  const faulty = typescript.replace('import {', 'import { {{');
  const [startLine, endLine] = await snapLines('a.ts', faulty, lineWith(faulty, '«begin»') + 1, 90);
  expect(startLine).toBe(lineWith(faulty, '«begin»'));
  expect(endLine).toBe(faulty.split('\n').length - 1);
});

test('a blank line is the border where the syntax has none', async () => {
  const body = Array.from({ length: 60 }, (_, n) => (n === 20 || n === 40 ? '' : `  step(${n});`));
  const text = ['function a() {', ...body, '}', ''].join('\n');
  expect(await snapLines('a.ts', text, 25, 40)).toEqual([23, 42]);
});

test('a nesting deeper than the stack is survived', async () => {
  const text = `const sum =\n${'  1 +\n'.repeat(20_000)}  1;\n`;
  expect(await snapLines('a.ts', text, 3, 19_990)).toEqual([1, 20_002]);
});

test('ranges of one file that meet become one, and the rest keep their order', async () => {
  const part = { workspace: 'w', path: 'a.ts' };
  const begin = lineWith(typescript, '«begin»');
  const end = lineWith(typescript, '«end»');
  const ranges = [
    { ...part, startLine: end - 2, endLine: end, score: 4 },
    { ...part, startLine: begin + 2, endLine: end - 3, score: 9 },
    { ...part, startLine: 2, endLine: 3, score: 1 },
  ];
  expect(await snapRanges(ranges, documentOf('a.ts', typescript), grammars)).toEqual([
    { ...part, startLine: 2, endLine: 3, score: 1 },
    { ...part, startLine: begin, endLine: end, score: 9 },
  ]);
});

test('no two ranges overlap, and no line gets lost to another', async () => {
  const text = Object.values(syntaxSources['a.js']!.repeat(8)).join('');
  const lineCount = text.split('\n').length - 1;
  const bounds = fc.uniqueArray(fc.integer({ min: 1, max: lineCount }), { minLength: 2, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(bounds, async (bounds) => {
      const sorted = bounds.toSorted((a, b) => a - b);
      const ranges = sorted
        .slice(1)
        .map((line, index) => ({ startLine: sorted[index]!, endLine: line - 1 }))
        .filter((_, index) => index % 2 === 0)
        .map((lines, index) => ({ workspace: 'w', path: 'a.js', ...lines, score: index }));
      const snapped = await snapRanges(ranges, documentOf('a.js', text), grammars);
      for (let index = 1; index < snapped.length; index++)
        expect(snapped[index]!.startLine).toBeGreaterThan(snapped[index - 1]!.endLine + 1);
      expect(await snapRanges(ranges, documentOf('a.js', text), grammars)).toEqual(snapped);
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['src/a.ts', 'typescript'],
  ['a.d.mts', 'typescript'],
  ['A.CPP', 'cpp'],
  ['a.h', 'cpp'],
  ['.bashrc', undefined],
  ['a.b/c', undefined],
])('the language of %s is %s', (path, language) => expect(languageOf(path)).toBe(language));
