import { errors } from '../errors.ts';
import type { KvCacheType } from '../protocol/engine.ts';
import type { GgufHeader } from './ggufFile.ts';
import { kvCacheBlock } from './kvCacheType.ts';
import {
  architectureTexts as texts,
  notServedTexts,
  problem,
  type ArchitectureProblem,
} from './modelProblems.ts';
import { architectureOf, modelShape } from './modelShape.ts';

/**
 * Throws errors.modelNotServed, with the architecture and the reason, for a model that the compression would answer
 * wrongly with; errors.modelCorrupt when the file does not state what this is decided by.
 * It goes by what is known to work: an architecture that is not listed is refused.
 */
export function checkServable(header: GgufHeader): void {
  const architecture = architectureOf(header);
  const found = refusal(header, architecture);
  if (found !== undefined) {
    const { why, key } = found;
    const sentence =
      key === undefined
        ? problem(notServedTexts.architecture, architecture, why)
        : problem(notServedTexts.architectureByKey, architecture, why, key);
    throw errors.modelNotServed(header.path, sentence);
  }
  modelShape(header);
}

/**
 * Throws errors.kvCacheNotServed where a head's keys or values are no whole number of the type's blocks: llama.cpp
 * makes no such cache.
 */
export function checkKvCacheType(header: GgufHeader, type: KvCacheType): void {
  const { blockValues } = kvCacheBlock(type);
  const { keyLength, valueLength } = modelShape(header);
  const wrong = [keyLength, valueLength].find((length) => length % blockValues !== 0);
  if (wrong !== undefined) {
    const why = problem(notServedTexts.headLength, wrong, blockValues);
    throw errors.kvCacheNotServed(type, header.path, why);
  }
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

/** @property key the metadata that says so, unless it is known of the architecture. */
interface Refusal {
  readonly why: ArchitectureProblem;
  readonly key?: string;
}

function refusal(header: GgufHeader, architecture: string): Refusal | undefined {
  const known = knownRefusals.find(([names]) => names.test(architecture));
  if (known !== undefined) return { why: known[1] };
  for (const [key, isTrouble, why] of troublesomeKeys) {
    const value = header.metadata.get(key.startsWith('split.') ? key : `${architecture}.${key}`);
    if (value === undefined || (why === texts.slidingWindow && windowsServed.has(architecture))) continue;
    const numbers = typeof value === 'object' ? value.values.map(Number) : [Number(value)];
    const windowed = header.metadata.get(`${architecture}.context_length`);
    if (numbers.some((number) => isTrouble(number, Number(windowed)))) return { why, key };
  }
  if (header.metadata.get(`${architecture}.attention.causal`) === false) return { why: texts.encoder };
  for (const key of perLayerKeys) {
    if (typeof header.metadata.get(`${architecture}.${key}`) === 'object') {
      return { why: texts.shapes, key };
    }
  }
  const hasSinks = header.tensors.some((tensor) => tensor.name.includes('attn_sinks'));
  if (hasSinks) return { why: texts.sinks };
  if (!servedArchitectures.has(architecture)) return { why: texts.untested };
  return undefined;
}

/** So that common models get their reason and not only "not tested". */
const knownRefusals: readonly (readonly [names: RegExp, why: ArchitectureProblem])[] = [
  [/^(gemma(?!3$)|cohere2|exaone4|granite_swa|plamo3|mellum|mimo2|step35|olmo2)/, texts.slidingWindow],
  [/^(gpt-oss)/, texts.sinksAndWindows],
  [/^(llama4)/, texts.ownParts],
  [/^(smallthinker|exaone-moe|afmoe)/, texts.slidingWindow],
  [
    /^(mamba|rwkv|arwkv|jamba|falcon-h1|granitehybrid|lfm2|nemotron_h|plamo2|qwen3next|qwen35|kimi|minimax-01)/,
    texts.recurrent,
  ],
  [/^(deepseek2|deepseek3|deepseek4|minicpm3|plm|mistral4|glm-dsa)/, texts.latent],
  [/^(qwen2vl|qwen3vl|hunyuan_vl|paddleocr|cogvlm|glm4)/, texts.multiAxis],
  [/^(mistral3)/, texts.scaledByPosition],
  [/^(bloom|mpt|jais|refact)/, texts.alibi],
  [/(bert|^t5|embed)/, texts.encoder],
  [/(moe|^dbrx|^arctic|^grok)/, texts.experts],
];

const perLayerKeys = ['attention.head_count', 'attention.head_count_kv', 'feed_forward_length'];

/** Metadata below the architecture's name that speak against a model of any architecture. */
const troublesomeKeys: readonly (readonly [
  key: string,
  isTrouble: (value: number, contextWindow: number) => boolean,
  why: ArchitectureProblem,
])[] = [
  // A window that no position can leave is none.
  ['attention.sliding_window', (window, context) => window > 0 && !(window >= context), texts.slidingWindow],
  ['attention.key_length_mla', isPositive, texts.latent],
  ['attention.kv_lora_rank', isPositive, texts.latent],
  ['ssm.state_size', isPositive, texts.recurrent],
  ['wkv.head_size', isPositive, texts.recurrent],
  ['rope.dimension_sections', isPositive, texts.multiAxis],
  ['attn_logit_softcapping', isPositive, texts.softCap],
  ['attention.max_alibi_bias', isPositive, texts.alibi],
  ['expert_count', isPositive, texts.experts],
  ['pooling_type', isPositive, texts.encoder],
  ['split.count', (parts) => parts > 1, texts.severalFiles],
];

function isPositive(value: number): boolean {
  return value > 0;
}
