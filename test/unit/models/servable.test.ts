import { describe, expect, it } from 'vitest';
import { AskError } from '../../../extension/errors.ts';
import type { GgufHeader, GgufValue } from '../../../extension/models/ggufFile.ts';
import { checkKvCacheType, checkServable } from '../../../extension/models/servable.ts';
import { caught } from './caught.ts';
import { modelMetadata, type Metadata } from './ggufWriter.ts';

function header(architecture: string, more: Metadata, tensorNames: readonly string[] = []): GgufHeader {
  const entries = Object.entries(modelMetadata(architecture, more)).map(
    ([key, value]): [string, GgufValue] => [
      key,
      typeof value === 'object' ? { length: value.length, values: [...value] } : value,
    ],
  );
  const tensors = tensorNames.map((name) => ({ name, type: 'F32', dimensions: [1], offset: 0, bytes: 4 }));
  return { path: 'm.gguf', version: 3, fileBytes: 0, metadata: new Map(entries), tensors, dataOffset: 0 };
}

/** "served", or the message. */
function judge(architecture: string, more: Metadata = {}, tensorNames: readonly string[] = []): string {
  try {
    checkServable(header(architecture, more, tensorNames));
    return 'served';
  } catch (error) {
    if (error instanceof AskError && error.reason === 'modelNotServed') return error.message;
    throw error;
  }
}

describe('checkServable', () => {
  it.each<{ architecture: string; more?: Metadata }>([
    { architecture: 'llama' },
    { architecture: 'qwen2' },
    {
      architecture: 'qwen3',
      more: { 'qwen3.attention.key_length': 128, 'qwen3.attention.value_length': 128 },
    },
    { architecture: 'smollm3' },
    { architecture: 'phi3' },
    { architecture: 'phi3', more: { 'phi3.attention.sliding_window': 262_144 } },
    { architecture: 'gemma3', more: { 'gemma3.attention.sliding_window': 512 } },
    { architecture: 'granite', more: { 'granite.attention.scale': 0.0078125 } },
    { architecture: 'llama', more: { 'llama.expert_count': 0, 'llama.rope.scaling.type': 'yarn' } },
    { architecture: 'llama', more: { 'llama.attention.sliding_window': 0 } },
    // A window as long as the context leaves nothing out.
    { architecture: 'llama', more: { 'llama.attention.sliding_window': 1024 } },
    { architecture: 'llama', more: { 'split.count': 1 } },
  ])('serves $architecture with $more', ({ architecture, more }) => {
    expect(judge(architecture, more)).toBe('served');
  });

  it.each([
    ['gemma3n', /sliding-window/],
    ['gemma2', /sliding-window/],
    ['phimoe', /mixture of experts/],
    ['granitehybrid', /recurrent/],
    ['cohere2', /sliding-window/],
    ['gpt-oss', /attention sinks/],
    ['llama4', /layers without RoPE/],
    ['smallthinker', /sliding-window/],
    ['mamba2', /recurrent/],
    ['rwkv7', /recurrent/],
    ['jamba', /recurrent/],
    ['falcon-h1', /recurrent/],
    ['qwen3next', /recurrent/],
    ['deepseek2', /MLA/],
    ['minicpm3', /MLA/],
    ['qwen2vl', /multi-axis/],
    ['mistral3', /scales attention by the position/],
    ['bloom', /ALiBi/],
    ['bert', /both directions/],
    ['llama-embed', /both directions/],
    ['qwen3moe', /mixture of experts/],
    ['dream', /not been tested/],
    ['something-new', /not been tested/],
  ])('refuses %s', (architecture, why) => {
    const message = judge(architecture);
    expect(message).toMatch(why);
    expect(message).toContain(`its architecture ${architecture} `);
    expect(message).toContain('m.gguf');
  });

  it.each<[Metadata, RegExp]>([
    [{ 'llama.attention.sliding_window': 512 }, /sliding-window.*attention.sliding_window/],
    [{ 'llama.expert_count': 8 }, /mixture of experts/],
    [{ 'llama.rope.dimension_sections': [16, 24, 24, 0] }, /multi-axis/],
    [{ 'llama.attn_logit_softcapping': 50 }, /soft-capping/],
    [{ 'llama.attention.max_alibi_bias': 8 }, /ALiBi/],
    [{ 'llama.attention.kv_lora_rank': 512 }, /MLA/],
    [{ 'llama.ssm.state_size': 16 }, /recurrent/],
    [{ 'llama.pooling_type': 1 }, /both directions/],
    [{ 'llama.attention.causal': false }, /both directions/],
    [{ 'llama.attention.head_count_kv': [2, 1] }, /different shapes/],
    [{ 'split.count': 3 }, /merge/],
  ])('refuses a llama with %j', (more, why) => {
    expect(judge('llama', more)).toMatch(why);
  });

  it('refuses a phi3 with a window that a text can leave', () => {
    expect(judge('phi3', { 'phi3.attention.sliding_window': 512 })).toMatch(/sliding-window/);
  });

  it('refuses attention sinks by their tensors', () => {
    expect(judge('llama', {}, ['blk.0.attn_sinks.weight'])).toMatch(/attention sinks/);
  });

  it.each([
    ['general.architecture', { 'general.architecture': '' }],
    ['llama.block_count', { 'llama.block_count': 0 }],
    ['llama.context_length', { 'llama.context_length': 'long' }],
    ['llama.vocab_size', { 'llama.vocab_size': 0.5 }],
  ])('calls a file without %s damaged', async (key, more) => {
    const failure = await caught(() => checkServable(header('llama', more)));
    expect(failure).toMatchObject({ reason: 'modelCorrupt' });
    expect(failure?.message).toContain(`it does not state ${key}`);
  });
});

describe('checkKvCacheType', () => {
  const withHeads = (length: number): GgufHeader =>
    header('llama', { 'llama.attention.key_length': length, 'llama.attention.value_length': length });

  it.each([32, 64, 96, 128])('takes heads of %i values in blocks of 32', (length) => {
    expect(() => checkKvCacheType(withHeads(length), 'q8_0')).not.toThrow();
  });

  it('refuses heads that are no whole number of blocks, and takes them as f16', async () => {
    const failure = await caught(() => checkKvCacheType(withHeads(80), 'q8_0'));
    expect(failure).toMatchObject({ reason: 'kvCacheNotServed' });
    expect(failure?.message).toContain('each of its heads has 80 values, no multiple of 32');
    expect(() => checkKvCacheType(withHeads(80), 'f16')).not.toThrow();
  });
});
