/** Model files as they are: the default model as a user gets it, and one with sliding windows. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultModelName, findEntry } from '../../extension/models/catalogue.ts';
import { evidenceHeadsOf } from '../../extension/models/evidenceHeads.ts';
import { ggmlTypes } from '../../extension/models/ggmlTypes.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { modelShape } from '../../extension/models/modelShape.ts';
import { checkServable } from '../../extension/models/servable.ts';
import { sha256OfFile } from '../../extension/models/sha256.ts';
import { gemmaPath, smolLm2Path } from '../modelFiles.ts';

const signal = new AbortController().signal;
const entry = findEntry(defaultModelName)!;
const { separateOutput: _, ...catalogueShape } = entry.shape;

let smolLm2: string;
let gemma: string;
beforeAll(async () => {
  smolLm2 = await smolLm2Path();
  gemma = await gemmaPath();
});

describe('the default model', () => {
  it('is what the catalogue says', async () => {
    const header = readGgufHeader(smolLm2);
    expect(entry.verification).toMatchObject({
      sha256: await sha256OfFile(smolLm2, signal),
      bytes: header.fileBytes,
    });
    expect(modelShape(header)).toEqual(catalogueShape);
  });

  it('has evidence heads that exist in it', () => {
    const header = readGgufHeader(smolLm2);
    const { layers, queryHeads } = modelShape(header);
    const text = (key: string) => {
      const value = header.metadata.get(key);
      return typeof value === 'string' ? value : null;
    };
    const heads = evidenceHeadsOf(text('general.basename'), text('general.size_label')) ?? [];
    expect(heads).toHaveLength(8);
    for (const [layer, head] of heads) {
      expect(layer).toBeLessThan(layers);
      expect(head).toBeLessThan(queryHeads);
    }
  });

  it('is served', () => {
    expect(() => checkServable(readGgufHeader(smolLm2))).not.toThrow();
  });
});

describe('a model with sliding-window layers', () => {
  it('is served when they are kept by their window', () => {
    const header = readGgufHeader(gemma);
    expect(header.metadata.get('gemma3.attention.sliding_window')).toBe(512);
    expect(() => checkServable(header)).not.toThrow();
  });
});

describe('the table of tensor types', () => {
  it('agrees with the library', () => {
    const library = koffi.load(baseLibraryPath());
    const blockValues = library.func('int64_t ggml_blck_size(int type)');
    const blockBytes = library.func('size_t ggml_type_size(int type)');
    for (const [type, expected] of ggmlTypes) {
      const found = [Number(blockValues(type)), Number(blockBytes(type))];
      expect(found, expected.name).toEqual([expected.blockValues, expected.blockBytes]);
    }
  });

  function baseLibraryPath(): string {
    const systems: Readonly<Record<string, string>> = { win32: 'win', darwin: 'mac' };
    const system = systems[process.platform] ?? process.platform;
    const folder = 'node_modules/@node-llama-cpp';
    const plain = readdirSync(folder).find((name) =>
      [`${system}-${process.arch}`, `${system}-${process.arch}-metal`].includes(name),
    );
    if (plain === undefined)
      throw new Error(`There is no package for ${system}-${process.arch} in ${folder}`);
    const files = readdirSync(join(folder, plain), { recursive: true, encoding: 'utf8' });
    const name = files.find((file) => /(^|[\\/])(lib)?ggml-base\.(so|dylib|dll)$/.test(file));
    if (name === undefined) throw new Error(`There is no ggml-base library in ${plain}`);
    return join(folder, plain, name);
  }
});
