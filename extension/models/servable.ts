import { errors } from '../errors.ts';
import type { GgufHeader } from './ggufFile.ts';
import { architectureOf, modelShape } from './modelShape.ts';

/**
 * Throws errors.modelNotServed, with the architecture and the reason, for a model that the compression would answer
 * wrongly with; errors.modelCorrupt when the file does not state what this is decided by.
 * It goes by what is known to work: an architecture that is not listed is refused.
 */
export function checkServable(header: GgufHeader): void {
  const architecture = architectureOf(header);
  const why = refusal(header, architecture);
  if (why !== undefined) throw errors.modelNotServed(header.path, `its architecture ${architecture} ${why}`);
  modelShape(header);
}

/**
 * Mistral models mostly call themselves `llama`. The newer `mistral3` scales attention by the position of a token,
 * which moving kept tokens together would change.
 */
const servedArchitectures: ReadonlySet<string> = new Set([
  'llama',
  'qwen2',
  'qwen3',
  'smollm3',
  'phi3',
  'granite',
  'gemma3',
]);

/** Whose windowed layers are kept by their window. */
const windowsServed: ReadonlySet<string> = new Set(['gemma3']);

function refusal(header: GgufHeader, architecture: string): string | undefined {
  const known = knownRefusals.find(([names]) => names.test(architecture));
  if (known !== undefined) return known[1];
  for (const [key, isTrouble, reason] of troublesomeKeys) {
    const value = header.metadata.get(key.startsWith('split.') ? key : `${architecture}.${key}`);
    if (value === undefined || (reason === slidingWindow && windowsServed.has(architecture))) continue;
    const numbers = typeof value === 'object' ? value.values.map(Number) : [Number(value)];
    const windowed = header.metadata.get(`${architecture}.context_length`);
    if (numbers.some((number) => isTrouble(number, Number(windowed)))) return `${reason} (${key})`;
  }
  if (header.metadata.get(`${architecture}.attention.causal`) === false) return encoder;
  for (const key of perLayerKeys) {
    if (typeof header.metadata.get(`${architecture}.${key}`) === 'object') {
      return `has layers of different shapes, which have not been tested (${key})`;
    }
  }
  const hasSinks = header.tensors.some((tensor) => tensor.name.includes('attn_sinks'));
  if (hasSinks) return 'has attention sinks, which the scores do not count yet';
  if (!servedArchitectures.has(architecture)) return 'has not been tested with the compression';
  return undefined;
}

const slidingWindow = 'has sliding-window layers, which see only the last tokens';
const recurrent = 'has recurrent layers, which keep no keys to choose from';
const latent = 'stores keys and values in a compressed form (MLA), which cannot be chosen from yet';
const multiAxis = 'gives a token several positions (multi-axis RoPE)';
const experts = 'is a mixture of experts, which has not been tested with the compression';
const alibi = 'marks positions by ALiBi and not by RoPE';
const encoder = 'reads in both directions and cannot generate';

/** So that common models get their reason and not only "not tested". */
const knownRefusals: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^(gemma(?!3$)|cohere2|exaone4|granite_swa|plamo3|mellum|mimo2|step35|olmo2)/, slidingWindow],
  [/^(gpt-oss)/, 'has attention sinks and sliding-window layers'],
  [/^(llama4)/, 'has layers without RoPE and layers that see only their own part of the text'],
  [/^(smallthinker|exaone-moe|afmoe)/, slidingWindow],
  [
    /^(mamba|rwkv|arwkv|jamba|falcon-h1|granitehybrid|lfm2|nemotron_h|plamo2|qwen3next|qwen35|kimi|minimax-01)/,
    recurrent,
  ],
  [/^(deepseek2|deepseek3|deepseek4|minicpm3|plm|mistral4|glm-dsa)/, latent],
  [/^(qwen2vl|qwen3vl|hunyuan_vl|paddleocr|cogvlm|glm4)/, multiAxis],
  [/^(mistral3)/, 'scales attention by the position of a token, which moving kept tokens would change'],
  [/^(bloom|mpt|jais|refact)/, alibi],
  [/(bert|^t5|embed)/, encoder],
  [/(moe|^dbrx|^arctic|^grok)/, experts],
];

const perLayerKeys = ['attention.head_count', 'attention.head_count_kv', 'feed_forward_length'];

/** Metadata below the architecture's name that speak against a model of any architecture. */
const troublesomeKeys: readonly (readonly [
  key: string,
  isTrouble: (value: number, contextWindow: number) => boolean,
  reason: string,
])[] = [
  // A window that no position can leave is none.
  ['attention.sliding_window', (window, context) => window > 0 && !(window >= context), slidingWindow],
  ['attention.key_length_mla', isPositive, latent],
  ['attention.kv_lora_rank', isPositive, latent],
  ['ssm.state_size', isPositive, recurrent],
  ['wkv.head_size', isPositive, recurrent],
  ['rope.dimension_sections', isPositive, multiAxis],
  [
    'attn_logit_softcapping',
    isPositive,
    'caps its attention (logit soft-capping), which the scores do not count yet',
  ],
  ['attention.max_alibi_bias', isPositive, alibi],
  ['expert_count', isPositive, experts],
  ['pooling_type', isPositive, encoder],
  [
    'split.count',
    (parts) => parts > 1,
    'is fine, but the file is one part of several: merge them with llama-gguf-split',
  ],
];

function isPositive(value: number): boolean {
  return value > 0;
}
