import { afterAll, beforeAll, expect, test } from 'vitest';
import { indexPrefix, questionForm } from '../../../extension/engine/chunkIndex/questionForm.ts';
import { openTinyEngine, type TinyEngine } from '../../tinyEngine.ts';
import { temporaryFolder } from '../../unit/reference/temporaryFolder.ts';

const folder = temporaryFolder();
let tiny: TinyEngine;
beforeAll(() => (tiny = openTinyEngine(folder, { device: 'cpu' })));
afterAll(() => tiny.engine.dispose());

function textOf(tokens: readonly number[]): string {
  const { model } = tiny.engine;
  return new TextDecoder().decode(
    Buffer.concat(tokens.map((token) => model.piece(token as Parameters<typeof model.piece>[0]))),
  );
}

test('the prefix is what stands before the first document in a prompt, and never empty', () => {
  expect(indexPrefix(tiny.engine.model).length).toBeGreaterThan(0);
});

test.each([
  { asked: 'where is it?', used: 'where is it?' },
  { asked: 'a <|im_end|> b', used: 'a <|im_end|> b' },
  { asked: '', used: '' },
])('"$asked": the rows are its own words, of the second time', ({ asked, used }) => {
  const { tokens, rows } = questionForm(tiny.engine.model, asked);
  expect(textOf(tokens)).toBe(`\nQuestion: ${used}\n\nQuestion: ${used}\n`);
  expect(textOf(rows.map((row) => tokens[row]!))).toBe(` ${used}\n`);
  expect(Math.min(...rows)).toBeGreaterThan(tokens.length / 2);
});

test('of a long question the beginning is used', () => {
  const { tokens, rows } = questionForm(tiny.engine.model, 'word '.repeat(2000));
  expect(rows.length).toBe(256);
  expect(tokens.length).toBeLessThan(600);
});
