import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGguf } from '../../reference/ggufReader.ts';
import { writeTinyModel, type TinyModelOptions } from '../../reference/tinyModel.ts';
import { tinyTokenIds, tinyVocabulary } from '../../reference/tinyVocabulary.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const folder = temporaryFolder();
const small: TinyModelOptions = {
  architecture: 'llama',
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  embedding: 32,
  feedForward: 48,
  contextLength: 256,
  weightType: 'f32',
  seed: 1,
};
const vocabularySize = tinyVocabulary().pieces.length;

function write(name: string, changes: Partial<TinyModelOptions> = {}): string {
  const path = join(folder, `${name}.gguf`);
  writeTinyModel(path, { ...small, ...changes });
  return path;
}

const layerShapes = {
  'attn_norm.weight': [32],
  'attn_q.weight': [32, 32],
  'attn_k.weight': [32, 16],
  'attn_v.weight': [32, 16],
  'attn_output.weight': [32, 32],
  'ffn_norm.weight': [32],
  'ffn_gate.weight': [32, 48],
  'ffn_up.weight': [32, 48],
  'ffn_down.weight': [48, 32],
};
const outerShapes = {
  'token_embd.weight': [32, vocabularySize],
  'output_norm.weight': [32],
  'output.weight': [32, vocabularySize],
};
const longRope = { originalContext: 64, attentionFactor: 1.2 };
const longShapes = { 'rope_factors_short.weight': [3], 'rope_factors_long.weight': [3] };
const fusedShapes = {
  'attn_norm.weight': [32],
  'attn_qkv.weight': [32, 64],
  'attn_output.weight': [32, 32],
  'ffn_norm.weight': [32],
  'ffn_up.weight': [32, 96],
  'ffn_down.weight': [48, 32],
};
const biases = { 'attn_q.bias': [32], 'attn_k.bias': [16], 'attn_v.bias': [16] };
const headNorms = { 'attn_q_norm.weight': [8], 'attn_k_norm.weight': [8] };

test.each([
  ['llama', {}, outerShapes, layerShapes],
  ['qwen2', {}, outerShapes, { ...layerShapes, ...biases }],
  ['qwen3', {}, outerShapes, { ...layerShapes, ...headNorms }],
  ['phi3', { longRope, ropeDims: 6 }, { ...outerShapes, ...longShapes }, fusedShapes],
  [
    'granite',
    { scales: { embedding: 12, residual: 0.2, attention: 0.1, logits: 8 } },
    outerShapes,
    layerShapes,
  ],
  ['llama', { ropeFactors: true }, { ...outerShapes, 'rope_freqs.weight': [4] }, layerShapes],
] as const)('the tensors of %s %o', (architecture, changes, outer, inner) => {
  const { tensors } = readGguf(write('shapes', { architecture, ...changes }));
  const expected = Object.entries(outer).map(([name, shape]) => [name, [...shape]]);
  for (const layer of [0, 1])
    for (const [name, shape] of Object.entries(inner)) expected.push([`blk.${layer}.${name}`, [...shape]]);
  expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual(
    Object.fromEntries(expected),
  );
});

test('the header says what was asked for', () => {
  const yarn = { factor: 4, originalContext: 64 };
  const changes = { architecture: 'qwen3', ropeBase: 500_000, yarn, headDim: 16 } as const;
  const { metadata } = readGguf(write('header', { ...changes, vocabularySize: 1000 }));
  expect(Object.fromEntries(metadata)).toMatchObject({
    'general.architecture': 'qwen3',
    'qwen3.vocab_size': 1000,
    'qwen3.context_length': 256,
    'qwen3.embedding_length': 32,
    'qwen3.block_count': 2,
    'qwen3.feed_forward_length': 48,
    'qwen3.attention.head_count': 4,
    'qwen3.attention.head_count_kv': 2,
    'qwen3.attention.key_length': 16,
    'qwen3.attention.value_length': 16,
    'qwen3.rope.dimension_count': 16,
    'qwen3.rope.freq_base': 500_000,
    'qwen3.rope.scaling.type': 'yarn',
    'qwen3.rope.scaling.factor': 4,
    'qwen3.rope.scaling.original_context_length': 64,
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tinyVocabulary(1000).pieces,
    'tokenizer.ggml.bos_token_id': tinyTokenIds.begin,
    'tokenizer.ggml.eos_token_id': tinyTokenIds.end,
    'tokenizer.ggml.add_bos_token': false,
  });
  expect(metadata.get('tokenizer.chat_template')).toContain('add_generation_prompt');
});

test('a model without its own output matrix has none in the file', () => {
  const { tensors } = readGguf(write('tied', { tiedEmbeddings: true }));
  expect(tensors.has('output.weight')).toBe(false);
});

test('the same options write the same bytes, another seed writes others', () => {
  const first = readFileSync(write('first'));
  expect(readFileSync(write('again')).equals(first)).toBe(true);
  const other = readGguf(write('other', { seed: 2 }));
  for (const [name, { values }] of readGguf(write('first')).tensors)
    expect(other.tensors.get(name)?.values, name).not.toEqual(values);
});

test('f16 weights are the f32 weights rounded, norms stay f32', () => {
  const exact = readGguf(write('f32')).tensors;
  for (const [name, { shape, values }] of readGguf(write('f16', { weightType: 'f16' })).tensors) {
    const wanted = exact.get(name)!.values;
    const error = values.map((value, i) => Math.abs(value - wanted[i]!));
    const tooFar = error.filter((size, i) => size > Math.max(Math.abs(wanted[i]!) * 2 ** -11, 2 ** -25));
    expect([...tooFar], name).toEqual([]);
    expect(
      error.some((size) => size > 0),
      name,
    ).toBe(shape.length > 1);
  }
});

test("Llama 3's factors grow from 1 to 8", () => {
  const factors = readGguf(write('factors', { ropeFactors: true, headDim: 16 })).tensors.get(
    'rope_freqs.weight',
  )!;
  expect(factors.values[0]).toBe(1);
  expect(factors.values.at(-1)).toBe(8);
  expect([...factors.values]).toEqual([...factors.values].sort((a, b) => a - b));
  expect(factors.values.some((factor) => factor > 1 && factor < 8)).toBe(true);
});

test.each([
  [{ headDim: 7 }, /headDim 7 is odd/],
  [{ kvHeads: 3 }, /4 heads cannot share 3 KV heads/],
  [{ architecture: 'qwen2', headDim: 16 }, /heads \* headDim = 64, not 32/],
  [{ architecture: 'qwen3', ropeFactors: true }, /qwen3 has no rope_freqs/],
  [{ architecture: 'phi3', headDim: 16 }, /phi3 needs an embedding of heads \* headDim = 64, not 32/],
  [{ ropeDims: 4 }, /llama has no ropeDims: use the phi3 architecture/],
  [{ vocabularySize: 100 }, /a vocabulary of 100 tokens is too small/],
] as const)('%o is refused', (changes, message) => {
  expect(() => write('refused', changes)).toThrow(message);
});

test('every byte, every printable character and every beginning of a word is a token', () => {
  const { pieces, scores, types } = tinyVocabulary();
  expect(new Set(pieces).size).toBe(pieces.length);
  expect([scores.length, types.length]).toEqual([pieces.length, pieces.length]);
  expect(pieces[tinyTokenIds.firstByte + 0x0a]).toBe('<0x0A>');
  expect(pieces[tinyTokenIds.firstByte + 0xff]).toBe('<0xFF>');
  expect([pieces[tinyTokenIds.turnStart], pieces[tinyTokenIds.turnEnd]]).toEqual([
    '<|im_start|>',
    '<|im_end|>',
  ]);
  for (let code = 0x21; code < 0x7f; code++) expect(pieces).toContain(String.fromCodePoint(code));
  const known = new Set(pieces);
  const unreachable = pieces.filter(
    (piece, id) => id > tinyTokenIds.turnEnd && piece.length > 1 && !known.has(piece.slice(0, -1)),
  );
  expect(unreachable).toEqual([]);
});
