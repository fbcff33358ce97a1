/** The model as a question is answered with it: on a processor perhaps a copy of its file. */
import { loadLibrary } from '../../extension/engine/llama/library.ts';
import { processorWeights } from '../../extension/engine/processorWeights.ts';
import { resolveModel } from '../../extension/models/findModel.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import type { DeviceName } from '../../extension/protocol/engine.ts';
import { neverAborted } from './likelihood.ts';

export interface ProductModel {
  /** Of the model's own file. */
  readonly file: string;
  /** Of what is loaded. */
  readonly path: string;
  /** For people. */
  readonly name: string;
}

/** @param model a name, a reference or a path; the default model when absent. A file given by its path is taken as it is. */
export async function productModel(model: string | undefined, device: DeviceName): Promise<ProductModel> {
  const { path: file, name, entry } = await resolveModel(model, { signal: neverAborted });
  if (device !== 'cpu' || entry === null) return { file, path: file, name };
  const { path } = await processorWeights(readGgufHeader(file), loadLibrary(device), console.error);
  return { file, path, name: path === file ? name : `${name}, its copy in q8_0` };
}
