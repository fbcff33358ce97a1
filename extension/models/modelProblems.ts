/** Why a file is no model, or none that can be served: the reasons inside errors.modelCorrupt and errors.modelNotServed. */
import type { Sentence, SentenceArguments } from '../protocol/sentence.ts';

/** Of a file that is not a whole GGUF file. */
export const corruptTexts = {
  folder: 'it is a folder',
  notRegular: 'it is not a regular file',
  empty: 'it is empty',
  otherByteOrder: 'it is written for machines with the other byte order',
  version: 'its GGUF version is {0}, and only 2 and 3 are known',
  tooShort: 'it has {0} bytes, at least {1} expected',
  alignment: 'its alignment {0} is not a power of two',
  dimensions: 'its tensor {0} has {1} dimensions, and at most 4 are possible',
  tensorType: 'its tensor {0} has the unknown type {1}',
  shape: 'its tensor {0} has the impossible shape {1}',
  metadataType: 'its metadata {0} has the unknown type {1}',
  listType: 'its list {0} has elements of the unknown type {1}',
  tensorCount: 'it claims {0} tensors, and has {1} bytes',
  metadataCount: 'it claims {0} metadata entries, and has {1} bytes',
  listLength: 'it claims {0} elements of {2}, and has {1} bytes',
  size: 'it claims an impossible size at byte {0}',
  name: 'it has a name of {0} bytes at byte {1}',
  header: 'it ends inside its header: {0} bytes, at least {1} expected',
  shrank: 'it became shorter while it was read',
  notStated: 'it does not state {0}',
  notLoaded: 'llama.cpp could not load it',
  unknownFormat: 'it is in no format known here',
  zip: 'it is a zip archive (a PyTorch file or a wheel)',
  safetensors: 'it is a safetensors file',
  beforeGguf: 'it is a model in the format that came before GGUF',
  gzip: 'it is compressed (gzip)',
  lfsPointer: 'it is a Git LFS pointer and not the file itself',
  webPage: 'it is a web page (a login or error page, perhaps)',
  text: 'it is plain text',
} as const;

/** Of a whole file whose model would be answered with wrongly. The sentences have an architecture or a layer, and why. */
export const notServedTexts = {
  architecture: 'its architecture {0} {1}',
  architectureByKey: 'its architecture {0} {1} ({2})',
  layer: 'layer {0} {1}',
  unknownRotation: 'it rotates {0}, which is not known',
  headLength: 'each of its heads has {0} values, no multiple of {1}',
  noOperation: 'it has no operation {0} for such rows',
  onePart: 'is one part of several: take a repository that has the model in one file',
} as const;

/** What follows an architecture's name. */
export const architectureTexts = {
  shapes: 'has layers of different shapes, which have not been tested',
  sinks: 'has attention sinks, which the scores do not count yet',
  untested: 'has not been tested with the compression',
  slidingWindow: 'has sliding-window layers, which see only the last tokens',
  recurrent: 'has recurrent layers, which keep no keys to choose from',
  latent: 'stores keys and values in a compressed form (MLA), which cannot be chosen from yet',
  multiAxis: 'gives a token several positions (multi-axis RoPE)',
  experts: 'is a mixture of experts, which has not been tested with the compression',
  alibi: 'marks positions by ALiBi and not by RoPE',
  encoder: 'reads in both directions and cannot generate',
  sinksAndWindows: 'has attention sinks and sliding-window layers',
  ownParts: 'has layers without RoPE and layers that see only their own part of the text',
  scaledByPosition: 'scales attention by the position of a token, which moving kept tokens would change',
  softCap: 'caps its attention (logit soft-capping), which the scores do not count yet',
  severalFiles: 'is fine, but the file is one part of several: merge them with llama-gguf-split',
} as const;

/** What follows a layer's number: what is found of a layer once it runs. */
export const layerTexts = {
  noAttention: 'has no flash-attention node',
  halfRotation: 'rotates only its queries or its keys',
  noMask: 'attends without a mask',
  otherWindow: 'sees other tokens than its window says',
  otherDevice: 'attends on another device than its KV cache is on',
  alibi: 'uses ALiBi',
  softCap: 'caps its attention scores',
  sinks: 'has attention sinks of its own',
  cacheType: 'keeps its KV cache in another type than was asked for',
  queryOrder: 'lays its queries out in another order',
  keyOrder: 'lays its keys out in another order',
  widths: 'has keys and values of different width',
  otherRotation: 'rotates its keys in another way',
} as const;

export type ArchitectureProblem = ValueOf<typeof architectureTexts>;
export type LayerProblem = ValueOf<typeof layerTexts>;
export type ProblemTemplate = ValueOf<typeof corruptTexts> | ValueOf<typeof notServedTexts>;
type ValueOf<T> = T[keyof T];

/** One of the sentences above, with what stands in it. */
export function problem(template: ProblemTemplate, ...args: SentenceArguments): Sentence {
  return { template, args };
}
