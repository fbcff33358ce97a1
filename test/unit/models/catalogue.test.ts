import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findEntry, nameOfFile, type CatalogueEntry } from '../../../extension/models/catalogue.ts';
import { catalogue } from '../../../extension/models/catalogueEntries.ts';
import { aboutBytes, expectedHeader, expectedTensors } from '../../../extension/models/expectedTensors.ts';
import { readGgufHeader, type TensorInfo } from '../../../extension/models/ggufFile.ts';
import { modelShape } from '../../../extension/models/modelShape.ts';
import { catalogueProblems } from '../../../scripts/catalogueProblems.ts';
import { gemmaPath, smolLm2Path } from '../../modelFiles.ts';

const [seen, unseen] = catalogue as readonly [CatalogueEntry, CatalogueEntry, ...CatalogueEntry[]];
const path = await smolLm2Path();

describe('the catalogue', () => {
  it('has nothing that is wrong of itself', () => {
    expect(catalogueProblems(catalogue)).toEqual([]);
  });

  it.each<[string, Partial<CatalogueEntry>]>([
    ['two of a name', { name: seen.name.toUpperCase() }],
    ['two of a file name', { verification: seen.verification }],
    ['parameters that are not those of the shape', { parameters: unseen.parameters * 1.05 }],
    ['an architecture that is not served', { shape: { ...unseen.shape, architecture: 'mamba' } }],
    ['a recommendation of what may not be used', { recommended: true, license: 'Qwen Research' }],
    ['a language that is none', { languages: ['en', 'xx'] }],
    ['a reference that is none', { verification: { kind: 'hub', reference: 'hf:owner' } }],
    ['a reference to a whole repository', { verification: { kind: 'hub', reference: 'hf:owner/name' } }],
  ])('is told of %s', (_, change) => {
    expect(catalogueProblems([seen, { ...unseen, ...change }])).not.toEqual([]);
  });

  it.each(catalogue)('$name is found by its name and by its file', (entry) => {
    expect(findEntry(entry.name.toUpperCase())).toBe(entry);
    const header = expectedHeader(entry);
    expect(nameOfFile(`/models/${header.path}`)).toBe(entry.name);
    const { separateOutput: _, ...shape } = entry.shape;
    expect(modelShape(header)).toEqual(shape);
  });
});

describe('what is computed of a file', () => {
  it('is what the default model has', () => {
    const header = readGgufHeader(path);
    const { separateOutput, ...shape } = seen.shape;
    expect(modelShape(header)).toEqual(shape);
    expect(header.tensors.some(({ name }) => name === 'output.weight')).toBe(separateOutput);
    const matrices = header.tensors.filter(({ dimensions }) => dimensions.length > 1);
    const facts = ({ name, type, dimensions, bytes }: (typeof matrices)[number]) => [
      ...[name, type, dimensions, bytes],
    ];
    const expected = expectedTensors(seen.shape, seen.quantisation);
    expect(new Set(expected.map((tensor) => JSON.stringify(facts(tensor))))).toEqual(
      new Set(matrices.map((tensor) => JSON.stringify(facts(tensor)))),
    );
    const computed = aboutBytes({ ...seen, verification: { kind: 'hub', reference: '' } });
    expect(Math.abs(computed / statSync(path).size - 1)).toBeLessThan(0.005);
  });

  it('is what a model of the family Gemma 3 has', async () => {
    // The base model, which is no entry: it has the shape of the one that follows instructions, and other weights.
    const header = readGgufHeader(await gemmaPath());
    const { shape } = findEntry('Gemma-3-270M-it')!;
    const { separateOutput, ...sizes } = shape;
    expect(modelShape(header)).toEqual(sizes);
    expect(header.tensors.some(({ name }) => name === 'output.weight')).toBe(separateOutput);
    const names = (tensors: readonly TensorInfo[]) =>
      tensors.map(({ name, dimensions }) => `${name} ${dimensions.join('x')}`).toSorted();
    const matrices = header.tensors.filter(({ dimensions }) => dimensions.length > 1);
    expect(names(expectedTensors(shape, 'Q4_K_M'))).toEqual(names(matrices));
  });

  it('is within a hundredth of published sizes, GB', () => {
    const published = {
      'Qwen2.5-Coder-0.5B-Instruct': 0.491,
      'Qwen2.5-Coder-7B-Instruct': 4.68,
      'SmolLM2-1.7B-Instruct': 1.06,
      'Qwen3-4B-Instruct-2507': 2.5,
      'Qwen3-0.6B': 0.639,
      'Phi-3.5-mini-Instruct': 2.39,
      'Phi-4-mini-Instruct': 2.491_874,
      'Gemma-3-270M-it': 0.291_546,
      'Gemma-3-1B-it': 0.806,
      'Gemma-3-4B-it': 2.49,
      'Gemma-3-12B-it': 7.3,
    };
    for (const [name, gigabytes] of Object.entries(published)) {
      const entry = findEntry(name);
      expect(Math.abs(aboutBytes(entry!) / 1e9 / gigabytes - 1)).toBeLessThan(0.01);
    }
  });
});
