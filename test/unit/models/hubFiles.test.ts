import { expect, test } from 'vitest';
import { catalogue } from '../../../extension/models/catalogueEntries.ts';
import { aboutBytes } from '../../../extension/models/expectedTensors.ts';
import type { MachineFacts } from '../../../extension/models/machine.ts';
import { listedHubFiles } from '../../../extension/models/modelList.ts';
import { judge } from '../../../extension/models/recommend.ts';

const machine: MachineFacts = { cores: 4, totalBytes: 16e9, freeBytes: 8e9, gpu: null };
const listed = (file: string, bytes = 1e9) => listedHubFiles([{ file, bytes }], machine)[0]!;

test.each([
  ['qwen2.5-coder-7b-instruct-q4_k_m.gguf', 'Q4_K_M'],
  ['Llama-3.2-1B-Instruct-IQ3_XXS.gguf', 'IQ3_XXS'],
  ['SmolLM2-135M-Instruct.Q4_1.gguf', 'Q4_1'],
  ['Q8_0/model-Q8_0.gguf', 'Q8_0'],
  ['phi-4-mini-bf16.gguf', 'BF16'],
  ['model-UD-Q4_K_XL.gguf', 'Q4_K_XL'],
  ['gpt-MXFP4.gguf', 'MXFP4'],
  ['FAQ8model.gguf', undefined],
  ['model.gguf', undefined],
])('%s is of type %s', (file, quantisation) => {
  expect(listed(file).quantisation).toBe(quantisation);
});

test('whether it fits is judged by its size', () => {
  expect(listed('a.gguf', 4.5e9).fits).toBe(true);
  expect(listed('a.gguf', 5.5e9).fits).toBe(false);
});

// Where every head has keys of its own, as in SmolLM2-1.7B, rows take up to a third more.
const grouped = catalogue.filter(
  (entry) => aboutBytes(entry) > 1e9 && entry.shape.kvHeads < entry.shape.queryHeads,
);
test.each(grouped)('$name needs about what its size says', (entry) => {
  const { neededBytes } = listed('a.gguf', aboutBytes(entry));
  expect(Math.abs(neededBytes / judge(entry, machine).neededBytes - 1)).toBeLessThan(0.15);
});
