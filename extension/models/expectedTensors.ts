/**
 * The tensors that llama.cpp writes for a model of a known shape: with them the size of a file, and the memory that it
 * takes, are known within a few hundredths before the file is here.
 */
import { fileNameOf, type CatalogueEntry, type CatalogueShape, type Quantisation } from './catalogue.ts';
import type { GgufHeader, GgufValue, TensorInfo } from './ggufFile.ts';
import { ggmlTypes } from './ggmlTypes.ts';

/** A token of the vocabulary with its type and, about once a token, a merge: bytes of the metadata. */
const BYTES_PER_TOKEN = 39;
/** Gemma's vocabulary has scores instead of merges. */
const BYTES_PER_SCORED_TOKEN = 26;

/** How many bytes the file has, about: exact for what has been verified, else computed. */
export function aboutBytes({ shape, quantisation, verification }: CatalogueEntry): number {
  if (verification.kind === 'sha256') return verification.bytes;
  const weights = expectedTensors(shape, quantisation).reduce((sum, { bytes }) => sum + bytes, 0);
  const perToken = shape.architecture === 'gemma3' ? BYTES_PER_SCORED_TOKEN : BYTES_PER_TOKEN;
  return weights + perToken * shape.vocabulary;
}

/** The header that the entry's file has, as far as sizes and memory follow from it. */
export function expectedHeader(entry: CatalogueEntry): GgufHeader {
  const { shape, quantisation } = entry;
  const { architecture } = shape;
  const sizes: readonly (readonly [key: string, value: number])[] = [
    ['block_count', shape.layers],
    ['context_length', shape.contextWindow],
    ['embedding_length', shape.embeddingLength],
    ['feed_forward_length', shape.feedForwardLength],
    ['attention.head_count', shape.queryHeads],
    ['attention.head_count_kv', shape.kvHeads],
    ['attention.key_length', shape.keyLength],
    ['attention.value_length', shape.valueLength],
    ['vocab_size', shape.vocabulary],
  ];
  const metadata = new Map<string, GgufValue>([['general.architecture', architecture]]);
  for (const [key, value] of sizes) metadata.set(`${architecture}.${key}`, value);
  const tensors = expectedTensors(shape, quantisation);
  const fileBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  return { path: fileNameOf(entry), version: 3, fileBytes, metadata, tensors, dataOffset: 0 };
}

/** Phi has one matrix for queries, keys and values, and one for both halves of what the feed-forward begins with. */
export function joinsMatrices({ architecture }: CatalogueShape): boolean {
  return architecture === 'phi3';
}

/** Matrices alone: vectors (norms, biases) make less than a thousandth. */
export function expectedTensors(shape: CatalogueShape, quantisation: Quantisation): readonly TensorInfo[] {
  const { layers, embeddingLength: width, feedForwardLength, vocabulary } = shape;
  const queries = shape.queryHeads * shape.keyLength;
  const keys = shape.kvHeads * shape.keyLength;
  const values = shape.kvHeads * shape.valueLength;
  const plain = plainTypes[quantisation];
  const tensors: Omit<TensorInfo, 'offset'>[] = [];
  const add = (name: string, columns: number, rows: number, wanted: string): void => {
    const type = possibleType(wanted, columns);
    tensors.push({
      name: `${name}.weight`,
      type,
      dimensions: [columns, rows],
      bytes: rows * rowBytes(type, columns),
    });
  };
  add('token_embd', width, vocabulary, shape.separateOutput ? plain : outputTypes[quantisation]);
  for (let layer = 0; layer < layers; layer++) {
    const finer = quantisation === 'Q4_K_M' && getsMoreBits(layer, layers) ? 'Q6_K' : plain;
    if (joinsMatrices(shape)) {
      add(`blk.${layer}.attn_qkv`, width, queries + keys + values, joinedTypes[quantisation]);
      add(`blk.${layer}.ffn_up`, width, 2 * feedForwardLength, plain);
    } else {
      add(`blk.${layer}.attn_q`, width, queries, plain);
      add(`blk.${layer}.attn_k`, width, keys, plain);
      add(`blk.${layer}.attn_v`, width, values, finer);
      add(`blk.${layer}.ffn_gate`, width, feedForwardLength, plain);
      add(`blk.${layer}.ffn_up`, width, feedForwardLength, plain);
    }
    add(`blk.${layer}.attn_output`, shape.queryHeads * shape.valueLength, width, plain);
    add(`blk.${layer}.ffn_down`, feedForwardLength, width, finer);
  }
  if (shape.separateOutput) add('output', width, vocabulary, outputTypes[quantisation]);
  let offset = 0;
  return tensors.map((tensor) => {
    const at = offset;
    offset += tensor.bytes;
    return { ...tensor, offset: at };
  });
}

const plainTypes = { Q4_1: 'Q4_1', Q4_K_M: 'Q4_K', Q8_0: 'Q8_0' } as const satisfies Record<
  Quantisation,
  string
>;
/** Of queries, keys and values in one. */
const joinedTypes = { Q4_1: 'Q4_1', Q4_K_M: 'Q5_K', Q8_0: 'Q8_0' } as const satisfies Record<
  Quantisation,
  string
>;
/** Of the matrix that logits come from: the output's, or the embedding's where there is one for both. */
const outputTypes = { Q4_1: 'Q6_K', Q4_K_M: 'Q6_K', Q8_0: 'Q8_0' } as const satisfies Record<
  Quantisation,
  string
>;

/** llama.cpp gives these layers' values and second feed-forward halves more bits: the first and last eighths, and every third. */
function getsMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

/** What llama.cpp takes for rows that are no whole number of blocks. */
const substitutes: Readonly<Record<string, string>> = { Q4_K: 'Q5_0', Q6_K: 'Q8_0' };

function possibleType(wanted: string, columns: number): string {
  const substitute = substitutes[wanted];
  return substitute !== undefined && columns % blockOf(wanted).blockValues !== 0 ? substitute : wanted;
}

function rowBytes(type: string, columns: number): number {
  const { blockValues, blockBytes } = blockOf(type);
  return (columns / blockValues) * blockBytes;
}

function blockOf(name: string) {
  for (const type of ggmlTypes.values()) if (type.name === name) return type;
  throw new Error(`There is no tensor type ${name}.`);
}
